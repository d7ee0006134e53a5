"""kill -9 at every step of a refresh: nothing is lost, and the next report or tick mends it when the claim has ended.

    read V1 | claim | read V1 | issuer | put V2 | move AWSCURRENT to V2 | close the claim
            1       2         3        4        5                       6

1 to 6 are the points at which the function is killed. All stories are played at the same time, each with a secret, a
lock table, a Figma user and a Lambda runtime of its own; the tests then look at how each went.
"""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from local.cloud import LocalCloud
from local.standin import Grant, digest
from tests.support.fault_proxy import wire_to
from tests.support.local_function import LocalFunction

pytestmark = pytest.mark.xdist_group("kill")

TIMEOUT = 11
"""Seconds that Lambda gives the function. Eight must be left to begin a refresh."""

MOST_TRIES = 40
TICK = {"source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": {}}


@dataclass(frozen=True, kw_only=True)
class Point:
    """Where the function is killed, what that leaves behind, and who comes next."""

    number: int
    held: str
    nth: int = 1
    answered: bool = False
    claimed: bool = True
    issuer_calls: int
    """In all, with those of whoever mends it."""
    by: str = "report"
    then: str = ""
    """Who mends it, if not whoever asks the same again."""


POINTS: Mapping[str, Point] = {
    "before the claim": Point(number=1, held="PutItem", claimed=False, issuer_calls=1),
    "after the claim": Point(number=2, held="GetSecretValue", nth=2, issuer_calls=1),
    "before the issuer is asked": Point(number=3, held="RefreshToken", issuer_calls=1),
    "as the issuer answers": Point(number=4, held="RefreshToken", answered=True, issuer_calls=2),
    "as the issuer answers, then a tick": Point(
        number=4, held="RefreshToken", answered=True, issuer_calls=2, by="tick"
    ),
    "as the issuer answers a report, then a tick, to which the token looks fresh": Point(
        number=4, held="RefreshToken", answered=True, issuer_calls=2, then="tick"
    ),
    "before the pair is put": Point(number=4, held="PutSecretValue", issuer_calls=2),
    "between put and move": Point(number=5, held="UpdateSecretVersionStage", issuer_calls=2),
    "between put and move, then a tick": Point(number=5, held="UpdateSecretVersionStage", issuer_calls=2, by="tick"),
    "before the claim is closed": Point(number=6, held="UpdateItem", issuer_calls=1),
}


@dataclass(frozen=True, kw_only=True)
class Story:
    """What happened."""

    point: Point
    grant: Grant
    killed_version: str
    killed_pair: dict[str, Any]
    begun_at: float
    held_at: float
    claim_ends_at: float | None
    """Epoch seconds, as the lock table has it; None: nothing is claimed."""
    answers: list[Any]
    """Of those who came after the kill, up to the first that was not told to come again."""
    asked_at: list[float]
    """When the issuer was asked."""
    version: str
    pair: dict[str, Any]


def play(name: str, cloud: LocalCloud, asset: Path, folder: Path) -> Story:
    point = POINTS[name]
    bench = LocalFunction(cloud, asset, folder)
    grant = cloud.standin.grant(user=name)
    left = timedelta(days=30) if point.by == "report" else timedelta(seconds=-1)
    version = bench.seed(grant, expires_in=left, note="kept")
    event = {"provider": "figma", "failedVersionId": version} if point.by == "report" else TICK
    with (
        wire_to(cloud) as wire,
        bench.runtime(**wire.environment, AWS_LAMBDA_FUNCTION_TIMEOUT=str(TIMEOUT)) as runtime,
        ThreadPoolExecutor(1) as pool,
    ):
        runtime.warm_up()
        held = wire.hold(point.held, point.nth, answered=point.answered)
        begun_at = time.time()
        killed = pool.submit(runtime.invoke, event)
        held.wait()
        held_at = time.time()
        runtime.kill()
        with pytest.raises(HTTPError, match="502") as crash:
            killed.result()
        crash.value.close()
        held.drop()
        killed_version, killed_pair = bench.current()
        claims = bench.dynamodb.scan(TableName=bench.name, ConsistentRead=True)["Items"]
        event = TICK if point.then == "tick" else event
        answers = [runtime.invoke(event)]
        while too_early(answers[-1]) and len(answers) < MOST_TRIES:
            time.sleep(0.5)
            answers.append(runtime.invoke(event))
    current, pair = bench.current()
    return Story(
        point=point,
        grant=grant,
        killed_version="as before" if killed_version == version else "another",
        killed_pair=killed_pair,
        begun_at=begun_at,
        held_at=held_at,
        claim_ends_at=int(claims[0]["in_progress_expiration"]["N"]) / 1000 if claims else None,
        answers=answers,
        asked_at=[
            call.at for call in cloud.standin.calls("RefreshToken") if call.credential == digest(grant.refresh_token)
        ],
        version=current,
        pair=pair,
    )


def too_early(answer: Any) -> bool:
    """Tell whether the claim of the killed one still stands: others wait, and a tick leaves a fresh token alone."""
    return bool(answer.get("errorType") == "RefreshInProgressException" or answer.get("outcome") == "fresh")


@pytest.fixture(scope="module")
def stories(cloud: LocalCloud, asset: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Story]:
    cloud.standin.reset()
    with ThreadPoolExecutor(len(POINTS)) as pool:
        playing = {name: pool.submit(play, name, cloud, asset, tmp_path_factory.mktemp("kill")) for name in POINTS}
        return {name: story.result() for name, story in playing.items()}


@pytest.fixture(params=POINTS)
def story(stories: Mapping[str, Story], request: pytest.FixtureRequest) -> Story:
    return stories[request.param]


def test_the_pair_that_a_killed_function_leaves_is_whole(story: Story) -> None:
    assert story.killed_pair["refreshToken"] == story.grant.refresh_token
    assert story.killed_pair["note"] == "kept"
    assert story.killed_version == ("another" if story.point.number == 6 else "as before")


def test_the_next_one_is_given_the_live_token_and_it_is_stored(cloud: LocalCloud, story: Story) -> None:
    answer = story.answers[-1]
    assert answer.get("errorType") is None
    assert answer["versionId"] == story.version
    if "accessToken" in answer:
        assert answer["accessToken"] == story.pair["accessToken"]
    else:
        assert answer["outcome"] == "refreshed"
    assert cloud.standin.accepts(story.pair["accessToken"])
    assert not cloud.standin.accepts(story.grant.access_token)


def test_the_refresh_token_and_unknown_keys_survive(story: Story) -> None:
    assert story.pair["refreshToken"] == story.grant.refresh_token
    assert story.pair["note"] == "kept"


def test_the_issuer_is_asked_again_only_if_it_had_been_asked_and_its_answer_was_lost(story: Story) -> None:
    assert len(story.asked_at) == story.point.issuer_calls


def test_a_claim_lasts_until_lambda_would_have_ended_its_holder_and_no_longer(story: Story) -> None:
    if story.point.claimed:
        assert story.claim_ends_at
        assert story.begun_at + TIMEOUT - 0.01 <= story.claim_ends_at <= story.held_at + TIMEOUT
    else:
        assert story.claim_ends_at is None


def test_nobody_refreshes_before_the_claim_of_the_killed_one_has_ended(story: Story) -> None:
    if not story.claim_ends_at or story.point.number == 6:  # nothing is claimed, or the refresh is done
        assert not any("by another invocation" in answer.get("errorMessage", "") for answer in story.answers[:-1])
    else:
        assert story.asked_at[-1] >= story.claim_ends_at


def test_every_step_of_a_refresh_has_its_point() -> None:
    assert {point.number for point in POINTS.values()} == set(range(1, 7))

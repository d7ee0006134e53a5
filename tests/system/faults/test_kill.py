"""After kill -9 at any step nothing is lost: the next report or tick refreshes once the claim has ended."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from local.cloud import LocalCloud
from local.standin import Grant, digest
from tests.support.local_fleet import LocalFleet
from tests.support.local_function import LocalFunction
from tests.system.faults.kills import ALL_POINTS, ITEM_POINTS, POINTS, TIMEOUT, Story, play, play_all

pytestmark = pytest.mark.xdist_group("kill")


@pytest.fixture(scope="module")
def grants(cloud: LocalCloud) -> Mapping[str, Grant]:
    cloud.standin.reset()
    return {name: cloud.standin.grant(user=name) for name in ALL_POINTS}


@pytest.fixture(scope="module")
def stories(
    cloud: LocalCloud, asset: Path, grants: Mapping[str, Grant], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Story]:
    folder = tmp_path_factory.mktemp("kill")

    def play_one(name: str) -> Story:
        point = ALL_POINTS[name]
        return play(point, (LocalFleet if point.of_item else LocalFunction)(cloud, asset, folder), grants[name])

    return play_all(play_one)


@pytest.fixture(params=ALL_POINTS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def story(name: str, stories: Mapping[str, Story]) -> Story:
    return stories[name]


@pytest.fixture
def grant(name: str, grants: Mapping[str, Grant]) -> Grant:
    return grants[name]


@pytest.fixture
def asked_at(cloud: LocalCloud, grant: Grant) -> list[float]:
    calls = cloud.standin.calls("RefreshToken")
    return [call.at for call in calls if call.credential == digest(grant.refresh_token)]


def test_the_killed_function_leaves_a_complete_pair(story: Story, grant: Grant) -> None:
    assert story.killed_pair["refreshToken"] == grant.refresh_token
    assert story.killed_pair["note"] == "kept"
    assert (story.killed_version != story.seeded) == (story.point.number == 6)


def test_the_next_caller_gets_the_live_token(cloud: LocalCloud, story: Story, grant: Grant) -> None:
    answer = story.answers[-1]
    assert answer.get("errorType") is None
    assert answer["versionId"] == story.version
    if "accessToken" in answer:
        assert answer["accessToken"] == story.pair["accessToken"]
    else:
        assert answer["outcome"] == "refreshed"
    assert cloud.standin.accepts(story.pair["accessToken"])
    assert not cloud.standin.accepts(grant.access_token)
    assert (story.pair["refreshToken"], story.pair["note"]) == (grant.refresh_token, "kept")


def test_only_a_lost_answer_costs_another_issuer_call(story: Story, asked_at: list[float]) -> None:
    assert len(asked_at) == story.point.issuer_calls


def test_the_claim_ends_with_the_holders_time(story: Story) -> None:
    if story.point.claimed:
        assert story.claim_ends_at
        assert story.begun_at + TIMEOUT - 0.01 <= story.claim_ends_at <= story.held_at + TIMEOUT
    else:
        assert story.claim_ends_at is None


def test_nobody_refreshes_before_the_claim_has_ended(story: Story, asked_at: list[float]) -> None:
    if not story.claim_ends_at or story.point.number == 6:  # there is no claim, or the refresh is done
        assert not any("by another invocation" in answer.get("errorMessage", "") for answer in story.answers[:-1])
    else:
        assert asked_at[-1] >= story.claim_ends_at


def test_every_step_has_its_point() -> None:
    assert {point.number for point in POINTS.values()} == set(range(1, 7))
    assert {point.number for point in ITEM_POINTS.values()} == {1, 2, 3, 4, 6}

"""Refresh tokens that are good for one call: an OAuth 2 server that revokes everything when one comes a second time.

64 processes at once never make it do so, nor does kill -9 at any step but the one that is documented: the issuer has
answered, and nothing was written yet. That is noticed and said. The points are those of `test_kill.py`.
"""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from local.cloud import LocalCloud
from tests.support.fault_proxy import Strike, wire_to
from tests.support.local_function import LocalFunction
from tests.support.oauth2_server import CLIENT_ID, CLIENT_SECRET, OAuth2Server, Token, oauth2_server
from tests.system.faults.test_kill import MOST_TRIES, POINTS, TICK, TIMEOUT, Point, too_early
from tests.system.faults.test_processes import FORCE, FRESH, PROCESSES, Swarm, report, swarming, tick

pytestmark = pytest.mark.xdist_group("rotation")

GENERATIONS = 8
LOST = {name for name, point in POINTS.items() if point.number == 4}
"""The points at which the answer is received and not written: the documented exception."""


@pytest.fixture(scope="module")
def server() -> Iterator[OAuth2Server]:
    with oauth2_server() as running:
        yield running


def settings(bench: LocalFunction) -> dict[str, str]:
    return {"ISSUER": "oauth2", **bench.app_secret(CLIENT_ID, CLIENT_SECRET)}


# --- 64 processes ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def swarm(
    cloud: LocalCloud, asset: Path, server: OAuth2Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Swarm]:
    bench = LocalFunction(cloud, asset, tmp_path_factory.mktemp("rotation"))
    with wire_to(cloud, server.url) as wire, swarming(bench, wire, **settings(bench)) as running:
        yield running


def test_64_processes_that_report_each_token_as_dead_never_spend_a_refresh_token_twice(
    swarm: Swarm, server: OAuth2Server
) -> None:
    version = swarm.bench.seed(server.sign_in("crowd"), expires_in=FRESH)
    for generation in range(1, GENERATIONS + 1):
        answers = swarm.invoke_together([report(version)] * PROCESSES)
        version, pair = swarm.bench.current()
        live = server.live("crowd")
        assert live, "the family was not revoked"
        assert {answer.get("accessToken") for answer in answers} == {live.access_token}
        assert (pair["accessToken"], pair["refreshToken"]) == (live.access_token, live.refresh_token)
        assert server.issued("crowd") == generation
    assert server.server.reused == []


def test_nor_does_a_crowd_that_wants_different_things(swarm: Swarm, server: OAuth2Server) -> None:
    version = swarm.bench.seed(server.sign_in("mixed"), expires_in=timedelta(seconds=-1))
    refresh_token = swarm.bench.current()[1]["refreshToken"]
    bare = {"provider": "figma", "refreshTokenBody": {"token": refresh_token}}
    mix = [{}, {"provider": "figma"}, report(version), report(version), tick("one"), tick("two"), FORCE, bare]
    swarm.invoke_together(mix * (PROCESSES // len(mix)))
    live = server.live("mixed")
    assert live
    assert swarm.bench.current()[1]["refreshToken"] == live.refresh_token
    assert (server.issued("mixed"), server.server.reused) == (1, [])


# --- the bare operation, asked twice --------------------------------------------------------------------------------


def test_the_bare_operation_asked_again_with_the_stored_refresh_token_does_not_spend_it_twice(
    cloud: LocalCloud, asset: Path, server: OAuth2Server, tmp_path: Path
) -> None:
    bench = LocalFunction(cloud, asset, tmp_path)
    bench.seed(server.sign_in("twice"), expires_in=FRESH)
    bare = {"provider": "figma", "refreshTokenBody": {"token": bench.current()[1]["refreshToken"]}}
    with wire_to(cloud, server.url) as wire, bench.runtime(**wire.environment, **settings(bench)) as runtime:
        answers = [runtime.invoke(bare) for _ in range(2)]
    live = server.live("twice")
    assert live, "the family was not revoked"
    assert [answer.get("accessToken") for answer in answers] == [live.access_token] * 2
    assert (server.issued("twice"), "twice" in server.server.reused) == (1, False)


# --- a write that fails ---------------------------------------------------------------------------------------------


def test_what_cannot_be_written_is_written_by_the_next_invocation_of_the_process(
    cloud: LocalCloud, asset: Path, server: OAuth2Server, tmp_path: Path
) -> None:
    bench = LocalFunction(cloud, asset, tmp_path)
    version = bench.seed(server.sign_in("unwritten"), expires_in=FRESH)
    with (
        wire_to(cloud, server.url) as wire,
        bench.runtime(**wire.environment, **settings(bench), AWS_LAMBDA_FUNCTION_TIMEOUT=str(TIMEOUT)) as runtime,
    ):
        wire.strike("PutSecretValue", Strike(status=400, code="AccessDeniedException"))
        assert runtime.invoke(report(version))["errorType"] == "TokenNotStoredException"
        wire.forget()
        answer = runtime.invoke({})
    live = server.live("unwritten")
    assert live
    assert (answer["accessToken"], bench.current()[1]["refreshToken"]) == (live.access_token, live.refresh_token)
    assert server.issued("unwritten") == 1
    assert "unwritten" not in server.server.reused


# --- kill -9 --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Story:
    """What happened at one point."""

    name: str
    point: Point
    answer: Any
    """Of the first after the kill who was not told to come again."""
    live: Token | None
    issued: int
    version: str
    pair: dict[str, Any]
    seeded: str


def play(name: str, cloud: LocalCloud, asset: Path, server: OAuth2Server, folder: Path) -> Story:
    point = POINTS[name]
    bench = LocalFunction(cloud, asset, folder)
    left = FRESH if point.by == "report" else timedelta(seconds=-1)
    seeded = bench.seed(server.sign_in(name), expires_in=left, note="kept")
    event = report(seeded) if point.by == "report" else TICK
    with (
        wire_to(cloud, server.url) as wire,
        bench.runtime(**wire.environment, **settings(bench), AWS_LAMBDA_FUNCTION_TIMEOUT=str(TIMEOUT)) as runtime,
        ThreadPoolExecutor(1) as pool,
    ):
        runtime.warm_up()
        held = wire.hold(point.held, point.nth, answered=point.answered)
        killed = pool.submit(runtime.invoke, event)
        held.wait()
        runtime.kill()
        with pytest.raises(HTTPError, match="502") as crash:
            killed.result()
        crash.value.close()
        held.drop()
        event = TICK if point.then == "tick" else event
        answer = runtime.invoke(event)
        for _ in range(MOST_TRIES):
            if not too_early(answer):
                break
            time.sleep(0.5)
            answer = runtime.invoke(event)
    version, pair = bench.current()
    return Story(
        name=name,
        point=point,
        answer=answer,
        live=server.live(name),
        issued=server.issued(name),
        version=version,
        pair=pair,
        seeded=seeded,
    )


@pytest.fixture(scope="module")
def stories(
    cloud: LocalCloud, asset: Path, server: OAuth2Server, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Story]:
    with ThreadPoolExecutor(len(POINTS)) as pool:
        playing = {
            name: pool.submit(play, name, cloud, asset, server, tmp_path_factory.mktemp("rotation-kill"))
            for name in POINTS
        }
        return {name: story.result() for name, story in playing.items()}


@pytest.mark.parametrize("name", [name for name in POINTS if name not in LOST])
def test_a_kill_at_any_other_step_loses_nothing_and_spends_nothing_twice(
    name: str, stories: Mapping[str, Story], server: OAuth2Server
) -> None:
    story = stories[name]
    assert name not in server.server.reused
    assert story.live, "the family was not revoked"
    assert (story.pair["accessToken"], story.pair["refreshToken"]) == (
        story.live.access_token,
        story.live.refresh_token,
    )
    assert story.answer.get("errorType") is None
    assert story.answer["versionId"] == story.version != story.seeded
    assert story.pair["note"] == "kept"
    assert story.issued == 1


@pytest.mark.parametrize("name", sorted(LOST))
def test_an_answer_that_was_received_and_not_written_is_lost_and_that_is_said(
    name: str, stories: Mapping[str, Story], server: OAuth2Server
) -> None:
    story = stories[name]
    assert story.answer["errorType"] == "ReauthorizationRequiredException"
    assert (server.server.reused.count(name), story.live) == (1, None)
    assert story.version == story.seeded
    assert story.issued == 1

"""Refresh tokens for one call each: an OAuth 2 server that revokes the grant when a spent one comes again.

64 simultaneous processes never cause that. Neither does kill -9 at any step except the documented one: the issuer has
answered, and nothing is written yet. The function notices that, and says so. tests/function/test_issuer_contract.py has
the odd answers whose tokens it must not lose.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from local.cloud import LocalCloud
from tests.support.events import CONSUMER, FORCE, bare, report, tick
from tests.support.fault_proxy import Strike, fault_proxy
from tests.support.local_fleet import LocalFleet
from tests.support.local_function import LocalFunction
from tests.support.oauth2_server import CLIENT_ID, CLIENT_SECRET, OAuth2Server, oauth2_server
from tests.support.windows import EXPIRED, FRESH
from tests.system.faults.kills import ALL_POINTS, ITEM_POINTS, POINTS, STORED, TIMEOUT, Story, play, play_all
from tests.system.faults.swarm import Swarm, swarming

pytestmark = pytest.mark.xdist_group("rotation")

GENERATIONS = 3
"""The first refresh is of a token that a person stored, the second of one that a refresh did; a third shows no more."""
STEPS = list({point.number: name for name, point in POINTS.items() if not point.answered}.values())
STEPS += [name for name, point in ITEM_POINTS.items() if not point.answered or point.number == STORED]
"""A point for each step; `test_kill.py` has all of them."""
LOST = ("before the pair is put", "item: before the pair is stored")
"""The documented exception: the answer is received and not written."""


@pytest.fixture(scope="module")
def server() -> Iterator[OAuth2Server]:
    with oauth2_server() as running:
        yield running


def issuer_of(function: LocalFunction | LocalFleet) -> dict[str, str]:
    return {"ISSUER": "oauth2", **function.app_secret(CLIENT_ID, CLIENT_SECRET)}


def tokens(pair: dict[str, Any]) -> tuple[str, str]:
    return pair["accessToken"], pair["refreshToken"]


def live(server: OAuth2Server, user: str) -> tuple[str, str]:
    """Return the live pair; fails when the grant was revoked."""
    token = server.live(user)
    assert token, "the server revoked the grant"
    return token.access_token, token.refresh_token


@pytest.fixture(scope="module")
def swarm(
    cloud: LocalCloud, asset: Path, server: OAuth2Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Swarm]:
    function = LocalFunction(cloud, asset, tmp_path_factory.mktemp("rotation"))
    with fault_proxy(cloud, server.url) as proxy, swarming(function, proxy, **issuer_of(function)) as running:
        yield running


def test_64_reports_of_each_token_spend_nothing_twice(swarm: Swarm, server: OAuth2Server) -> None:
    version = swarm.function.seed(server.sign_in("crowd"), expires_in=FRESH)
    for generation in range(1, GENERATIONS + 1):
        answers = swarm.invoke_together(report(version))
        version, pair = swarm.function.current()
        assert tokens(pair) == live(server, "crowd")
        assert {answer.get("accessToken") for answer in answers} == {pair["accessToken"]}
        assert server.issued("crowd") == generation
        undated = {**pair, "refreshedAt": None}  # a report of a new token refreshes nothing
        version = swarm.function.store(json.dumps(undated))
    assert server.server.reused == []


def test_64_different_callers_spend_nothing_twice(swarm: Swarm, server: OAuth2Server) -> None:
    version = swarm.function.seed(server.sign_in("mixed"), expires_in=EXPIRED)
    stored = bare(swarm.function.current()[1]["refreshToken"])
    swarm.invoke_together({}, CONSUMER, report(version), report(version), tick("one"), tick("two"), FORCE, stored)
    assert tokens(swarm.function.current()[1]) == live(server, "mixed")
    assert (server.issued("mixed"), server.server.reused) == (1, [])


def test_the_bare_operation_twice_spends_it_once(function: LocalFunction, server: OAuth2Server) -> None:
    function.seed(server.sign_in("twice"), expires_in=FRESH)
    stored = bare(function.current()[1]["refreshToken"])
    with (
        fault_proxy(function.cloud, server.url) as proxy,
        function.runtime(**proxy.environment, **issuer_of(function)) as runtime,
    ):
        answers = [runtime.invoke(stored) for _ in range(2)]
    assert [answer.get("accessToken") for answer in answers] == [live(server, "twice")[0]] * 2
    assert (server.issued("twice"), "twice" in server.server.reused) == (1, False)


def test_the_next_invocation_writes_an_unwritten_pair(function: LocalFunction, server: OAuth2Server) -> None:
    version = function.seed(server.sign_in("unwritten"), expires_in=FRESH)
    timeout = {"AWS_LAMBDA_FUNCTION_TIMEOUT": str(TIMEOUT)}
    with (
        fault_proxy(function.cloud, server.url) as proxy,
        function.runtime(**proxy.environment, **issuer_of(function), **timeout) as runtime,
    ):
        proxy.strike("PutSecretValue", Strike(status=400, code="AccessDeniedException"))
        assert runtime.invoke(report(version))["errorType"] == "TokenNotStoredException"
        proxy.forget()
        answer = runtime.invoke({})
    assert (answer["accessToken"], function.current()[1]["refreshToken"]) == live(server, "unwritten")
    assert server.issued("unwritten") == 1
    assert "unwritten" not in server.server.reused


@pytest.fixture(scope="module")
def stories(
    cloud: LocalCloud, asset: Path, server: OAuth2Server, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Story]:
    folder = tmp_path_factory.mktemp("rotation-kill")

    def play_one(name: str) -> Story:
        point = ALL_POINTS[name]
        function = (LocalFleet if point.of_item else LocalFunction)(cloud, asset, folder)
        return play(point, function, server.sign_in(name), issuer=server.url, **issuer_of(function))

    return play_all(play_one, STEPS)


@pytest.mark.parametrize("name", [name for name in STEPS if name not in LOST])
def test_a_kill_at_any_other_step_loses_nothing(name: str, stories: Mapping[str, Story], server: OAuth2Server) -> None:
    story = stories[name]
    assert name not in server.server.reused
    assert tokens(story.pair) == live(server, name)
    assert story.answers[-1].get("errorType") is None
    assert story.answers[-1]["versionId"] == story.version != story.seeded
    assert story.pair["note"] == "kept"
    assert server.issued(name) == 1


@pytest.mark.parametrize("name", LOST)
def test_an_unwritten_answer_is_reported_as_lost(name: str, stories: Mapping[str, Story], server: OAuth2Server) -> None:
    story = stories[name]
    assert story.answers[-1]["errorType"] == "ReauthorizationRequiredException"
    assert (server.server.reused.count(name), server.live(name)) == (1, None)
    assert story.version == story.seeded
    assert server.issued(name) == 1

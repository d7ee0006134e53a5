"""Refresh tokens for one call each: an OAuth 2 server that revokes the grant when a spent one comes again.

64 simultaneous processes never cause that. Neither does kill -9 at any step except the documented one: the issuer has
answered, and nothing is written yet. The function notices that, and says so. However odd an answer is, what it holds is
stored.
"""

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from werkzeug.wrappers import Response

from local.cloud import LocalCloud
from tests.support.events import CONSUMER, FORCE, bare, report, tick
from tests.support.fault_proxy import Strike, fault_proxy
from tests.support.lambda_emulator import Runtime
from tests.support.local_function import LocalFunction
from tests.support.oauth2_server import CLIENT_ID, CLIENT_SECRET, PATH, OAuth2Server, oauth2_server
from tests.support.windows import EXPIRED, FRESH
from tests.system.faults.kills import POINTS, TIMEOUT, Story, play, play_all
from tests.system.faults.swarm import Swarm, swarming

pytestmark = pytest.mark.xdist_group("rotation")

GENERATIONS = 3
"""The first refresh is of a token that a person stored, the second of one that a refresh did; a third shows no more."""
STEPS = list({point.number: name for name, point in POINTS.items() if not point.answered}.values())
"""A point for each step; `test_kill.py` has all of them."""
LOST = "before the pair is put"
"""The documented exception: the answer is received and not written."""


@pytest.fixture(scope="module")
def server() -> Iterator[OAuth2Server]:
    with oauth2_server() as running:
        yield running


def issuer_of(function: LocalFunction) -> dict[str, str]:
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
        function = LocalFunction(cloud, asset, folder)
        return play(POINTS[name], function, server.sign_in(name), issuer=server.url, **issuer_of(function))

    return play_all(play_one, STEPS)


@pytest.mark.parametrize("name", [name for name in STEPS if name != LOST])
def test_a_kill_at_any_other_step_loses_nothing(name: str, stories: Mapping[str, Story], server: OAuth2Server) -> None:
    story = stories[name]
    assert name not in server.server.reused
    assert tokens(story.pair) == live(server, name)
    assert story.answers[-1].get("errorType") is None
    assert story.answers[-1]["versionId"] == story.version != story.seeded
    assert story.pair["note"] == "kept"
    assert server.issued(name) == 1


def test_an_unwritten_answer_is_reported_as_lost(stories: Mapping[str, Story], server: OAuth2Server) -> None:
    story = stories[LOST]
    assert story.answers[-1]["errorType"] == "ReauthorizationRequiredException"
    assert (server.server.reused.count(LOST), server.live(LOST)) == (1, None)
    assert story.version == story.seeded
    assert server.issued(LOST) == 1


def with_members(**members: object) -> Callable[[bytes], bytes]:
    return lambda body: json.dumps(json.loads(body) | members).encode()


def without(name: str) -> Callable[[bytes], bytes]:
    return lambda body: json.dumps({key: value for key, value in json.loads(body).items() if key != name}).encode()


def with_text(name: str, text: str) -> Callable[[bytes], bytes]:
    """Write a member's value as this text, which JSON writers would not produce."""
    return lambda body: re.sub(rf'("{name}": )[^,}}]+', lambda found: found[1] + text, body.decode()).encode()


ODD = {
    **{f"expires_in {value!r}": with_members(expires_in=value) for value in ("3600", 3600.5, -1, 0, None, True, [1])},
    **{f"expires_in {text}": with_text("expires_in", text) for text in ("1e400", "NaN", "9" * 400)},
    **{f"token_type {value!r}": with_members(token_type=value) for value in (None, "bot", "BearerToken", 5)},
    **{f"no {name}": without(name) for name in ("expires_in", "token_type", "scope")},
    **{f"scope {value!r}": with_members(scope=value) for value in (["a"], 5)},
    "an error beside the token": with_members(error=None, error_description="", warning="soon"),
    "every member twice": lambda body: b'{"access_token": 1, "refresh_token": "old", "expires_in": "x", ' + body[1:],
    "a byte order mark": lambda body: b"\xef\xbb\xbf" + body,
    "UTF-16": lambda body: body.decode().encode("utf-16"),
    "white space around": lambda body: b"\r\n " + body + b"\n\n",
    "Content-Type application/x-www-form-urlencoded": lambda body: urlencode(json.loads(body)).encode(),
    "a list": lambda body: b"[" + body + b"]",
    "a warning before it": lambda body: b"<b>Warning</b>: {x}<br />\n" + body,
    "no end": lambda body: body.rstrip(b"}"),
    "bytes that are no UTF-8": lambda body: body[:-1] + b', "note": "\xff"}',
    "deep nesting": lambda body: body[:-1] + b', "note": ' + b"[" * 500 + b"]" * 500 + b"}",
    "Content-Encoding gzip": gzip.compress,
    "Content-Encoding deflate": zlib.compress,
    "Content-Type text/html": bytes,
    "Content-Type text/plain; charset=x": bytes,
    **{f"status {status}": bytes for status in (201, 302, 400, 500)},
}
"""Changes of an answer that holds a usable pair. A name may begin with a header or the status to send with it."""

TOKENLESS = {
    **{
        f"access_token {value!r}": with_members(access_token=value)
        for value in (None, "", "a b", "a\n", 5, "x" * 16_385)
    },
    "no access_token": without("access_token"),
}


def twisted(name: str, change: Callable[[bytes], bytes]) -> Callable[[Response], Response]:
    def twist(response: Response) -> Response:
        response.data = change(response.data)
        header, _, value = name.partition(" ")
        if header == "status":
            response.status_code = int(value)
        elif header.startswith("Content-"):
            response.headers[header] = value
        return response

    return twist


@pytest.fixture(scope="module")
def odd(
    cloud: LocalCloud, asset: Path, server: OAuth2Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[LocalFunction, Runtime]]:
    function = LocalFunction(cloud, asset, tmp_path_factory.mktemp("odd"))
    settings = {**issuer_of(function), "OAUTH2_TOKEN_URL": f"{server.url}{PATH}", "ALLOW_HTTP_ISSUER": "true"}
    with function.runtime(**settings) as runtime:
        yield function, runtime


@pytest.mark.parametrize("name", [*ODD, *TOKENLESS], ids=lambda name: name[:30])
def test_the_grant_survives_an_odd_answer(
    name: str, odd: tuple[LocalFunction, Runtime], server: OAuth2Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    function, runtime = odd
    version = function.seed(server.sign_in(name), expires_in=FRESH, note="kept")
    monkeypatch.setattr(server, "twist", twisted(name, (ODD | TOKENLESS)[name]))
    answer = runtime.invoke(report(version))
    _, pair = function.current()
    assert pair["refreshToken"] == live(server, name)[1]
    assert pair["note"] == "kept"
    assert answer.get("accessToken") == (live(server, name)[0] if name in ODD else None)
    monkeypatch.undo()
    assert runtime.invoke(FORCE)["accessToken"] == function.current()[1]["accessToken"] == live(server, name)[0]
    assert (server.issued(name), name in server.server.reused) == (2, False)

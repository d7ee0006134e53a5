"""The contract of the Issuer port, over all issuers. A real server answers each of them in its own language."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest

from refresh_token.errors import (
    ConfigurationException,
    IssuerProtocolException,
    IssuerUnavailableException,
    ReauthorizationRequiredException,
    RefreshTokenError,
)
from refresh_token.issued_token import IssuedToken
from refresh_token.issuers.registry import ISSUERS, issuer_from
from refresh_token.ports import Issuer
from tests.support.canaries import assert_clean
from tests.support.function_environment import NOBODY_LISTENS, AppSecret
from tests.support.token_server import Reply, TokenServer, http, token_server

REFRESH, CLIENT = "canary-refresh", "canary-client"
ONE_ATTEMPT = 12.0
"""Seconds that are enough for one attempt and not for two: no waiting in between."""

CAMEL: Mapping[str, str] = {"access_token": "accessToken", "expires_in": "expiresIn", "refresh_token": "refreshToken"}
SNAKE: Mapping[str, str] = {name: name for name in CAMEL}


@dataclass(frozen=True)
class Language:
    """How an issuer reports a token, a refused grant, and a caller that it does not know."""

    members: Mapping[str, str]
    refused: bytes
    unknown_caller: Reply
    environment: Callable[[str, str], dict[str, str]]

    def issued(self, **members: object) -> Reply:
        answer = {"access_token": "canary-issued", "expires_in": 60, **members}
        return http(200, json.dumps({self.members[name]: value for name, value in answer.items()}).encode())


LANGUAGES = {
    "amplify": Language(
        CAMEL,
        b'{"__type": "InvalidParameterException", "message": "No."}',
        http(403, b'{"__type": "AccessDeniedException"}'),
        lambda _url, _app: {},
    ),
    "figma": Language(
        SNAKE,
        b'{"error": true, "status": 400, "message": "Invalid refresh token", "i18n": null}',
        http(401, b'{"error": true, "status": 401, "message": "Invalid client credentials", "i18n": null}'),
        lambda url, app: {"FIGMA_BASE_URL": url, "APP_SECRET_ARN": app},
    ),
    "oauth2": Language(
        SNAKE,
        b'{"error": "invalid_grant"}',
        http(401, b'{"error": "invalid_client"}'),
        lambda url, app: {"OAUTH2_TOKEN_URL": f"{url}/token", "APP_SECRET_ARN": app},
    ),
}


@dataclass
class Subject:
    """An issuer, and the server that it calls."""

    issuer: Issuer
    server: TokenServer
    language: Language

    def refresh(self, seconds: float = ONE_ATTEMPT) -> IssuedToken:
        return self.issuer.refresh(REFRESH, CLIENT, seconds=seconds)

    def fault(self, reply: Reply, seconds: float = ONE_ATTEMPT) -> type[RefreshTokenError]:
        """Return the class of the error that a reply leads to, the error being clean of everything that was sent."""
        self.server.answer(reply)
        with pytest.raises(RefreshTokenError) as caught:
            self.refresh(seconds)
        assert_clean(caught.value)
        return type(caught.value)


@pytest.fixture(params=LANGUAGES)
def subject(
    request: pytest.FixtureRequest, app_secret: AppSecret, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Subject]:
    with token_server() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_AMPLIFYUIBUILDER", server.url)
        # moto answers all that is sent to AWS; the amplify issuer must really reach this server.
        monkeypatch.setattr("moto.core.botocore_stubber.BotocoreStubber.process_request", passing(server.url))
        language = LANGUAGES[request.param]
        environment = {"ALLOW_HTTP_ISSUER": "true", **language.environment(server.url, app_secret.arn)}
        yield Subject(issuer_from({"ISSUER": request.param, **environment}), server, language)


def passing(url: str) -> Callable[..., object]:
    from moto.core.botocore_stubber import BotocoreStubber  # noqa: PLC0415 - as it is before it is patched

    stub = BotocoreStubber.process_request

    def process(self: BotocoreStubber, request: object) -> object:
        return None if str(getattr(request, "url", "")).startswith(url) else stub(self, request)  # type: ignore[arg-type]

    return process


def test_every_issuer_is_held_to_it() -> None:
    assert set(LANGUAGES) == set(ISSUERS)


def test_issues_a_token(subject: Subject) -> None:
    subject.server.answer(subject.language.issued())
    issued = subject.refresh()
    assert (issued.access_token, issued.expires_in, issued.refresh_token) == ("canary-issued", 60, None)
    assert len(subject.server.seen) == 1
    assert "canary" not in repr((issued, subject.issuer))


def test_takes_only_a_usable_refresh_token(subject: Subject) -> None:
    for value, taken in (("rotated", "rotated"), ("", None), (7, None), (["x"], None), (None, None)):
        subject.server.answer(subject.language.issued(refresh_token=value))
        assert subject.refresh().refresh_token == taken


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_grant_takes_a_person(status: int, subject: Subject) -> None:
    for body in (subject.language.refused, b"", b"<h1>No</h1>", b"[1]", b"{}"):
        assert subject.fault(http(status, body)) is ReauthorizationRequiredException, body


def test_an_unknown_caller_is_misconfigured(subject: Subject) -> None:
    assert subject.fault(subject.language.unknown_caller) is ConfigurationException


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_transient_answers_are_unavailable(status: int, subject: Subject) -> None:
    for body in (subject.language.refused, b"", b"<h1>Away</h1>"):
        assert subject.fault(http(status, body)) is IssuerUnavailableException, body


BROKEN = {"hung up": Reply(hang_up=True), "reset": Reply(reset=True), "no HTTP": Reply(b"canary", hang_up=True)}


@pytest.mark.parametrize("reply", BROKEN.values(), ids=BROKEN)
def test_a_broken_connection_is_unavailable(reply: Reply, subject: Subject) -> None:
    assert subject.fault(reply) is IssuerUnavailableException


def test_nobody_listening_is_unavailable(app_secret: AppSecret, monkeypatch: pytest.MonkeyPatch) -> None:
    assert os.environ["AWS_ENDPOINT_URL_AMPLIFYUIBUILDER"] == NOBODY_LISTENS
    monkeypatch.setattr("moto.core.botocore_stubber.BotocoreStubber.process_request", passing(NOBODY_LISTENS))
    for name, language in LANGUAGES.items():
        environment = {"ALLOW_HTTP_ISSUER": "true", **language.environment(NOBODY_LISTENS, app_secret.arn)}
        with pytest.raises(IssuerUnavailableException) as caught:
            issuer_from({"ISSUER": name, **environment}).refresh(REFRESH, None, seconds=ONE_ATTEMPT)
        assert_clean(caught.value)


def test_silence_is_unavailable_after_one_attempt(subject: Subject) -> None:
    assert subject.fault(Reply(silent=60), seconds=3.0) is IssuerUnavailableException
    assert len(subject.server.seen) == 1


NONSENSE: dict[str, Reply] = {
    "nothing": http(200),
    "HTML": http(200, b"<h1>canary</h1>", Content_Type="text/html"),
    "half a document": http(200, b'{"access_token": "canary'),
    "a list": http(200, b'["canary"]'),
    "text": http(200, b'"canary"'),
    "null": http(200, b"null"),
    "no token": http(200, b"{}"),
    "a number of 5000 digits": http(200, b'{"access_token": "canary", "expires_in": ' + b"9" * 5000 + b"}"),
    "bytes that are no text": http(200, b"\xff\xfe"),
    "a redirect to another host": http(302, Location="http://canary.example/"),
    "404": http(404, b"{}"),
}


@pytest.mark.parametrize("reply", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_ends_the_attempts(reply: Reply, subject: Subject) -> None:
    assert subject.fault(reply, seconds=55.0) is IssuerProtocolException
    assert len(subject.server.seen) == 1


NO_TOKENS: tuple[object, ...] = ("", " ", 0, 7, 0.5, None, True, False, ["canary"], {"canary": 1}, "\ud800")
NO_EXPIRIES: tuple[object, ...] = ("", "60", "2027-01-01", 60.0, 0.5, True, False, [60], {}, 1e300)


def test_members_of_another_type_are_nonsense(subject: Subject) -> None:
    for value in NO_TOKENS:
        assert subject.fault(subject.language.issued(access_token=value)) is IssuerProtocolException, value
    for value in NO_EXPIRIES:
        assert subject.fault(subject.language.issued(expires_in=value)) is IssuerProtocolException, value


def test_the_core_judges_a_whole_number(subject: Subject) -> None:
    for expires_in in (0, -1, -(10**30), 10**13):
        subject.server.answer(subject.language.issued(expires_in=expires_in))
        assert subject.refresh().expires_in == expires_in

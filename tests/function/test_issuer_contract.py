"""The contract of the Issuer port, over all issuers. A real server answers each of them in its own language."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest

from refresh_token import errors
from refresh_token.core.grant import Grant
from refresh_token.core.issued_token import IssuedToken, RefreshTokenOnly
from refresh_token.core.ports import Issuer
from refresh_token.issuers.registry import ISSUERS, issuer_from
from tests.support.canaries import assert_clean
from tests.support.function_environment import AppSecret
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
    issuer: Issuer
    server: TokenServer
    language: Language

    def refresh(self, seconds: float = ONE_ATTEMPT) -> IssuedToken:
        issued = self.issuer.refresh(Grant(REFRESH), CLIENT, seconds=seconds)
        assert isinstance(issued, IssuedToken)
        return issued

    def fault(self, reply: Reply, seconds: float = ONE_ATTEMPT) -> type[errors.RefreshTokenError]:
        """Return the class of the error that a reply leads to, the error being clean of everything that was sent."""
        self.server.answer(reply)
        with pytest.raises(errors.RefreshTokenError) as caught:
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
    assert subject.fault(http(status, subject.language.refused)) is errors.ReauthorizationRequiredException


PROBLEM = b'{"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "No."}'
"""What RFC 9457 calls a problem: many gateways send it."""


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_bare_refusal_is_not_explained(status: int, subject: Subject) -> None:
    for body in (b"", b"<h1>No</h1>", b"[1]", b"{}", b'{"message": "Forbidden"}', b"Request limit exceeded", PROBLEM):
        subject.server.answer(http(status, body))
        with pytest.raises(errors.IssuerUnavailableException) as caught:
            subject.refresh()
        assert caught.value.unexplained, body


def test_an_unknown_caller_is_misconfigured(subject: Subject) -> None:
    assert subject.fault(subject.language.unknown_caller) is errors.ConfigurationException


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_transient_answers_are_unavailable(status: int, subject: Subject) -> None:
    for body in (subject.language.refused, b"", b"<h1>Away</h1>"):
        assert subject.fault(http(status, body)) is errors.IssuerUnavailableException, body


BROKEN = {"hung up": Reply(hang_up=True), "reset": Reply(reset=True), "no HTTP": Reply(raw=b"canary", hang_up=True)}


@pytest.mark.parametrize("reply", BROKEN.values(), ids=BROKEN)
def test_a_broken_connection_is_unavailable(reply: Reply, subject: Subject) -> None:
    assert subject.fault(reply) is errors.IssuerUnavailableException


def test_silence_is_unavailable_after_one_attempt(subject: Subject) -> None:
    assert subject.fault(Reply(silent=60), seconds=3.0) is errors.IssuerUnavailableException
    assert len(subject.server.seen) == 1


NONSENSE: dict[str, Reply] = {
    "nothing": http(200),
    "HTML": http(200, b"<h1>canary</h1>", Content_Type="text/html"),
    "half a document": http(200, b'{"access_token": "canary'),
    "a list": http(200, b'["canary"]'),
    "text": http(200, b'"canary"'),
    "null": http(200, b"null"),
    "no token": http(200, b"{}"),
    "bytes that are no text": http(200, b"\xff\xfe"),
    "a redirect to another host": http(302, Location="http://canary.example/"),
    "404": http(404, b"{}"),
    "204": http(204),
    "a number": http(200, b"7"),
    "gzip that is none": http(200, b"\x1f\x8b\x08", Content_Encoding="gzip"),
}


@pytest.mark.parametrize("reply", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_ends_the_attempts(reply: Reply, subject: Subject) -> None:
    assert subject.fault(reply, seconds=55.0) is errors.IssuerProtocolException
    assert len(subject.server.seen) == 1


NO_TOKENS: tuple[object, ...] = ("", " ", 0, 7, None, True, ["canary"], {"canary": 1}, "\ud800", "canary\n", "ä")


def test_an_unusable_access_token_is_nonsense(subject: Subject) -> None:
    for value in NO_TOKENS:
        assert subject.fault(subject.language.issued(access_token=value)) is errors.IssuerProtocolException, value
        assert (
            subject.fault(subject.language.issued(access_token=value, refresh_token=REFRESH))
            is errors.IssuerProtocolException
        )


def test_a_new_refresh_token_survives_without_access_token(subject: Subject) -> None:
    for value in NO_TOKENS:
        subject.server.answer(subject.language.issued(access_token=value, refresh_token="canary-new"))
        issued = subject.issuer.refresh(Grant(REFRESH), CLIENT, seconds=ONE_ATTEMPT)
        assert isinstance(issued, RefreshTokenOnly), value
        assert (issued.refresh_token, type(issued.error)) == ("canary-new", errors.IssuerProtocolException)
        assert_clean(issued.error)
        assert "canary" not in repr(issued)


EXPIRIES = (("3600", 3600), (3600.0, 3600), (10**13, 10**13), (None, None), ("", None), ("2027", 2027), ("soon", None))


def test_whatever_is_said_of_expiry_issues(subject: Subject) -> None:
    for sent, read in EXPIRIES:
        subject.server.answer(subject.language.issued(expires_in=sent, refresh_token="new"))
        issued = subject.refresh()
        assert (issued.access_token, issued.expires_in, issued.refresh_token) == ("canary-issued", read, "new"), sent


def as_sent(body: bytes) -> dict[str, Reply]:
    """Return a body in the many forms in which servers send it."""
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return {
        "with a byte order mark": http(200, b"\xef\xbb\xbf" + body),
        "in UTF-16": http(200, body.decode().encode("utf-16")),
        "in UTF-32": http(200, body.decode().encode("utf-32-le")),
        "with members twice": http(200, b'{"access_token": 1, "accessToken": 1, "refresh_token": 1,' + body[1:]),
        "with text in Latin-1": http(200, b'{"scope": "\xe4",' + body[1:]),
        "with NaN": http(200, b'{"x": NaN, "y": -Infinity, "z": "\t\n",' + body[1:]),
        "with a number of 5000 digits": http(200, b'{"x": ' + b"9" * 5000 + b"," + body[1:]),
        "in gzip": http(200, gzip.compress(body), Content_Encoding="gzip"),
        "in x-gzip": http(200, gzip.compress(body), Content_Encoding=" X-GZIP"),
        "in deflate": http(200, zlib.compress(body), Content_Encoding="deflate"),
        "in deflate without a header": http(
            200, deflate.compress(body) + deflate.flush(), Content_Encoding="identity, deflate"
        ),
        "as 201": http(201, body),
    }


@pytest.mark.parametrize("form", as_sent(b"{}"))
def test_the_form_of_an_answer_costs_nothing(form: str, subject: Subject) -> None:
    body = subject.language.issued(refresh_token="new").body
    subject.server.answer(as_sent(body)[form])
    issued = subject.refresh()
    assert (issued.access_token, issued.refresh_token) == ("canary-issued", "new")

"""The issuer against a real HTTP server: what comes over the wire, and what we make of it."""

import time

import botocore.session
import pytest

from refresh_token import aws_clients
from refresh_token.errors import (
    ConfigurationException,
    IssuerProtocolException,
    IssuerUnavailableException,
    ReauthorizationRequiredException,
    RefreshTokenError,
)
from refresh_token.issued_token import IssuedToken
from refresh_token.issuers.ui_builder import UiBuilderIssuer
from tests.support.canaries import assert_clean
from tests.support.function_environment import NOBODY_LISTENS
from tests.support.ui_builder_server import LIFETIME, Reply, UiBuilderServer, good, refusal

REFRESH, CLIENT, ISSUED = "canary-refresh", "canary-client", "canary-issued"
ONE_ATTEMPT = 15.0
"""Seconds that are enough for one attempt and not for two: no waiting in between."""


def refresh(client_id: str | None = CLIENT, seconds: float = ONE_ATTEMPT) -> IssuedToken:
    return UiBuilderIssuer().refresh(REFRESH, client_id, seconds=seconds)


# --- the request ----------------------------------------------------------------------------------------------------


def test_the_request_is_the_operations_own(ui_builder: UiBuilderServer) -> None:
    refresh()
    (seen,) = ui_builder.seen
    assert (seen.method, seen.path) == ("POST", "/tokens/figma/refresh")
    assert seen.document == {"token": REFRESH, "clientId": CLIENT}
    assert "/eu-west-1/amplifyuibuilder/aws4_request" in seen.headers["Authorization"]
    assert "canary" not in str(seen.headers)


def test_a_client_id_that_is_not_known_is_not_sent(ui_builder: UiBuilderServer) -> None:
    refresh(client_id=None)
    assert [seen.document for seen in ui_builder.seen] == [{"token": REFRESH}]


# --- the answer -----------------------------------------------------------------------------------------------------

NO_TOKENS: list[object] = ["", 0, 7, 0.5, True, False, [ISSUED], {"x": ISSUED}, "\ud800"]

TAKEN: list[tuple[str, Reply, IssuedToken]] = [
    ("as modelled", good(), IssuedToken(access_token="access-issued", expires_in=LIFETIME)),
    (
        "with a refresh token, which the model does not have",
        good(refreshToken="rotated"),
        IssuedToken(access_token="access-issued", expires_in=LIFETIME, refresh_token="rotated"),
    ),
    (
        "with a null for a refresh token",
        Reply(body=b'{"accessToken": "a", "expiresIn": 1, "refreshToken": null}'),
        IssuedToken(access_token="a", expires_in=1),
    ),
    *[
        (
            f"with a refresh token that is none: {value!r}",
            good(refreshToken=value),
            IssuedToken(access_token="access-issued", expires_in=LIFETIME),
        )
        for value in NO_TOKENS
    ],
    ("with keys that nobody knows", good(new=[1]), IssuedToken(access_token="access-issued", expires_in=LIFETIME)),
    ("as 201", Reply(201, good().body), IssuedToken(access_token="access-issued", expires_in=LIFETIME)),
    ("with epoch milliseconds", good(expiresIn=10**13), IssuedToken(access_token="access-issued", expires_in=10**13)),
]


@pytest.mark.parametrize(("reply", "issued"), [case[1:] for case in TAKEN], ids=[case[0] for case in TAKEN])
def test_an_answer_that_makes_sense_is_taken(reply: Reply, issued: IssuedToken, ui_builder: UiBuilderServer) -> None:
    ui_builder.answer(reply)
    assert refresh() == issued


NO_EXPIRIES: list[object] = [
    "",
    "60",
    "2027-01-01",
    60.0,
    0.5,
    1e300,
    float("nan"),
    float("inf"),
    True,
    False,
    [60],
    {},
]
NONSENSE: list[tuple[str, Reply]] = [
    ("no body", Reply()),
    ("204", Reply(204)),
    ("HTML", Reply(body=b"<html>canary-issued</html>", headers={"Content-Type": "text/html"})),
    ("half a body", Reply(body=b'{"accessToken": "canary-issued", "expi')),
    ("a list", Reply(body=b'["canary-issued"]')),
    ("text", Reply(body=b'"canary-issued"')),
    ("null", Reply(body=b"null")),
    ("a number", Reply(body=b"7")),
    ("bytes that are no text", Reply(body=b'\xff\xfe{"accessToken": "canary-issued"')),
    ("lists nested without end", Reply(body=b"[" * 200_000)),
    ("objects nested without end", Reply(body=b'{"accessToken":' * 100_000)),
    ("a number of 5000 digits", Reply(body=b'{"accessToken": "canary-issued", "expiresIn": ' + b"9" * 5000 + b"}")),
    ("no access token", good(accessToken=None)),
    ("Figma's spelling", Reply(body=b'{"access_token": "canary-issued", "expires_in": 60}')),
    *[(f"access token {value!r}", good(accessToken=value)) for value in NO_TOKENS],
    ("no expiry", good(accessToken=ISSUED, expiresIn=None)),
    *[(f"expiry {value!r}", good(accessToken=ISSUED, expiresIn=value)) for value in NO_EXPIRIES],
]


@pytest.mark.parametrize("reply", [case[1] for case in NONSENSE], ids=[case[0] for case in NONSENSE])
def test_an_answer_that_makes_no_sense_is_never_taken(reply: Reply, ui_builder: UiBuilderServer) -> None:
    ui_builder.answer(reply)
    with pytest.raises(IssuerProtocolException) as caught:
        refresh()
    assert_clean(caught.value)
    assert len(ui_builder.seen) == 1, "nonsense is not asked for twice"


@pytest.mark.parametrize("expires_in", [0, -1])
def test_an_expiry_that_is_a_number_is_passed_on_for_the_core_to_judge(
    expires_in: int, ui_builder: UiBuilderServer
) -> None:
    ui_builder.answer(good(expiresIn=expires_in))
    assert refresh().expires_in == expires_in


# --- refusals and faults: status x code -> error ----------------------------------------------------------------------

Reauthorize, Unavailable, Misconfigured, Nonsense = (
    ReauthorizationRequiredException,
    IssuerUnavailableException,
    ConfigurationException,
    IssuerProtocolException,
)
ANSWERS: list[tuple[int, str, type[RefreshTokenError]]] = [
    (301, "", Nonsense),
    (302, "", Nonsense),
    (307, "", Nonsense),
    (400, "InvalidParameterException", Reauthorize),
    (400, "", Reauthorize),
    (400, "ValidationException", Reauthorize),
    (400, "SomethingElse", Reauthorize),
    (400, "ThrottlingException", Unavailable),
    (400, "Throttling", Unavailable),
    (400, "RequestLimitExceeded", Unavailable),
    (400, "ExpiredTokenException", Misconfigured),
    (400, "IncompleteSignature", Misconfigured),
    (400, "UnrecognizedClientException", Misconfigured),
    (401, "", Reauthorize),
    (401, "UnauthorizedException", Reauthorize),
    (403, "", Reauthorize),
    (403, "ForbiddenException", Reauthorize),
    (403, "AccessDeniedException", Misconfigured),
    (403, "AccessDenied", Misconfigured),
    (403, "InvalidSignatureException", Misconfigured),
    (403, "SignatureDoesNotMatch", Misconfigured),
    (403, "MissingAuthenticationTokenException", Misconfigured),
    (403, "UnrecognizedClientException", Misconfigured),
    (403, "ExpiredToken", Misconfigured),
    (403, "OptInRequired", Misconfigured),
    (403, "ThrottlingException", Unavailable),
    (404, "", Nonsense),
    (404, "ResourceNotFoundException", Nonsense),
    (405, "", Nonsense),
    (408, "", Unavailable),
    (409, "", Nonsense),
    (413, "", Nonsense),
    (418, "", Nonsense),
    (429, "", Unavailable),
    (429, "TooManyRequestsException", Unavailable),
    (500, "InternalServerException", Unavailable),
    (500, "InvalidParameterException", Unavailable),
    (501, "", Unavailable),
    (502, "", Unavailable),
    (503, "ServiceUnavailable", Unavailable),
    (504, "", Unavailable),
    (599, "", Unavailable),
]


@pytest.mark.parametrize(("status", "code", "expected"), ANSWERS, ids=[f"{s}-{c or 'no code'}" for s, c, _ in ANSWERS])
def test_an_error_answer_means_what_its_status_and_code_say(
    status: int, code: str, expected: type[RefreshTokenError], ui_builder: UiBuilderServer
) -> None:
    ui_builder.answer(refusal(status, code, f"{REFRESH} {CLIENT}"))
    error = fault()
    assert type(error) is expected
    assert (code if expected is Misconfigured else f"HTTP {status}") in str(error)


BODIES: dict[str, bytes] = {
    "nothing": b"",
    "HTML": b"<html><h1>canary-refresh</h1></html>",
    "text": b"canary-refresh",
    "a list": b'["canary-refresh"]',
    "JSON text": b'"canary-refresh"',
    "null": b"null",
    "bytes that are no text": b"\xff\xfe\x00canary",
    "lists nested without end": b"[" * 200_000,
    "a code that is a number": b'{"__type": 7, "code": 7, "message": "canary-refresh"}',
    "a code that is a list": b'{"code": ["canary-refresh"], "message": ["canary-refresh"]}',
    "a code that is an object": b'{"__type": {"x": "canary-refresh"}}',
    "a message that is an object": b'{"code": "x", "message": {"x": "canary-refresh"}}',
    "the request as a code": b'{"code": "canary-refresh", "message": "canary-client"}',
    "the request as a type": b'{"__type": "canary-refresh", "token": "canary-refresh"}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize(
    ("status", "expected"),
    [(302, Nonsense), (400, Reauthorize), (403, Reauthorize), (404, Nonsense), (429, Unavailable), (502, Unavailable)],
)
def test_whatever_the_body_of_an_error_is_the_status_counts(
    body: bytes, status: int, expected: type[RefreshTokenError], ui_builder: UiBuilderServer
) -> None:
    ui_builder.answer(Reply(status, body))
    assert type(fault()) is expected


@pytest.mark.parametrize("key", ["__type", "code", "Code"])
@pytest.mark.parametrize("prefix", ["", "com.amazonaws.amplifyuibuilder#"])
def test_a_code_may_stand_in_the_body(key: str, prefix: str, ui_builder: UiBuilderServer) -> None:
    ui_builder.answer(Reply(403, f'{{"{key}": "{prefix}AccessDeniedException"}}'.encode()))
    assert type(fault()) is Misconfigured


def test_a_code_in_the_header_may_have_an_address_behind_it(ui_builder: UiBuilderServer) -> None:
    ui_builder.answer(refusal(403, "AccessDeniedException:http://internal.amazon.com/coral/com.amazon.coral.service/"))
    assert type(fault()) is Misconfigured


def test_the_request_echoed_as_a_code_in_the_header_is_not_shown(ui_builder: UiBuilderServer) -> None:
    ui_builder.answer(refusal(400, REFRESH, CLIENT))
    assert type(fault()) is Reauthorize


def test_a_redirect_is_not_followed(ui_builder: UiBuilderServer) -> None:
    ui_builder.answer(Reply(307, headers={"Location": f"{ui_builder.url}/elsewhere"}), good())
    assert type(fault()) is Nonsense
    assert [seen.path for seen in ui_builder.seen] == ["/tokens/figma/refresh"]


def test_nobody_listening_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_AMPLIFYUIBUILDER", NOBODY_LISTENS)
    assert "EndpointConnectionError" in str(unavailable())


def test_a_connection_that_is_dropped_is_unavailable(ui_builder: UiBuilderServer) -> None:
    ui_builder.answer(Reply(hang_up=True))
    assert "ConnectionClosedError" in str(unavailable())


def test_an_answer_that_does_not_come_is_unavailable_within_the_time_given(ui_builder: UiBuilderServer) -> None:
    ui_builder.answer(Reply(seconds=60, body=good().body))
    begun = time.monotonic()
    assert "ReadTimeoutError" in str(unavailable(seconds=4.0))
    assert time.monotonic() - begun >= 1.0, "it did wait"
    assert len(ui_builder.seen) == 1, "and had no time for another"


def unavailable(seconds: float = ONE_ATTEMPT) -> RefreshTokenError:
    error = fault(seconds)
    assert type(error) is IssuerUnavailableException
    return error


def fault(seconds: float = ONE_ATTEMPT) -> RefreshTokenError:
    """Return the error that a refresh raises, clean of everything that was sent."""
    with pytest.raises(RefreshTokenError) as caught:
        refresh(seconds=seconds)
    assert_clean(caught.value)
    return caught.value


# --- the caller's own credentials and region --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "missing",
    [
        ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"],
        ["AWS_SECRET_ACCESS_KEY"],
        ["AWS_REGION", "AWS_DEFAULT_REGION"],
    ],
    ids=["no credentials", "half of the credentials", "no region"],
)
def test_without_credentials_or_region_the_deployment_is_at_fault(
    missing: list[str], ui_builder: UiBuilderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in missing:
        monkeypatch.delenv(name)
    monkeypatch.setattr(aws_clients, "session", botocore.session.get_session)
    assert type(fault()) is Misconfigured
    assert ui_builder.seen == []


# --- retries --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "attempts"),
    [(60.0, 3), (49.0, 3), (48.9, 2), (30.0, 2), (29.9, 1), (12.0, 1), (5.0, 1), (0.0, 1), (-5.0, 1)],
)
def test_a_fault_that_may_pass_is_tried_as_often_as_the_time_allows(
    seconds: float, attempts: int, ui_builder: UiBuilderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    ui_builder.answer(refusal(503))
    unavailable(seconds)
    assert len(ui_builder.seen) == attempts


PASSING = [refusal(429), refusal(400, "ThrottlingException"), refusal(500), refusal(502), Reply(hang_up=True)]


@pytest.mark.parametrize("reply", PASSING, ids=["429", "throttled", "500", "502", "dropped"])
def test_a_fault_that_passes_is_not_noticed(
    reply: Reply, ui_builder: UiBuilderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    ui_builder.answer(reply, good())
    assert refresh(seconds=60.0).access_token == "access-issued"
    assert len(ui_builder.seen) == 2


@pytest.mark.parametrize("reply", [refusal(400, "InvalidParameterException"), refusal(401), refusal(403), refusal(404)])
def test_a_refusal_is_not_tried_again(reply: Reply, ui_builder: UiBuilderServer) -> None:
    ui_builder.answer(reply)
    fault(seconds=60.0)
    assert len(ui_builder.seen) == 1


def test_two_refreshes_share_a_connection_pool_and_not_an_answer(ui_builder: UiBuilderServer) -> None:
    ui_builder.answer(good(refreshToken="rotated"), good(accessToken="second"))
    assert refresh().refresh_token == "rotated"
    assert refresh() == IssuedToken(access_token="second", expires_in=LIFETIME)

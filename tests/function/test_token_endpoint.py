"""What becomes of a form that is posted: which answers are believed, and when it is sent again."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from refresh_token.deadline import Deadline
from refresh_token.errors import IssuerProtocolException, IssuerUnavailableException, RefreshTokenError
from refresh_token.issuers import token_endpoint as module
from refresh_token.issuers.refusal_errors import refusal_error
from refresh_token.issuers.token_endpoint import TokenEndpoint
from refresh_token.oauth.refusals import SERVER_REFRESH
from refresh_token.oauth.requests import TokenRequest
from refresh_token.oauth.responses import TokenResponse
from tests.support.canaries import assert_clean
from tests.support.function_environment import NOBODY_LISTENS
from tests.support.token_server import Reply, TokenServer, figma_error, http, issued, oauth_error

FORM = {"refresh_token": "canary-refresh", "scope": "a b", "ä": "ö&="}
ONE_ATTEMPT = 12.5
"""Seconds that are enough for one attempt and not for two."""
AMPLE = 55.0
"""Seconds of an invocation that has just begun, less what is kept for the write."""


def post(server: TokenServer | str, seconds: float = ONE_ATTEMPT, *, repeatable: bool = True) -> TokenResponse:
    url = server if isinstance(server, str) else server.url
    request = TokenRequest(FORM, {"Authorization": "Basic x"})
    return TokenEndpoint(url, repeatable=repeatable).post(request, Deadline.after(seconds))


def fault(server: TokenServer | str, seconds: float = ONE_ATTEMPT, *, repeatable: bool = True) -> RefreshTokenError:
    try:
        response = post(server, seconds, repeatable=repeatable)
    except RefreshTokenError as raised:
        error = raised
    else:
        assert response.refused
        error = refusal_error(response, SERVER_REFRESH)
    assert_clean(error)
    return error


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, which nobody waits for here."""
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    return made


# --- the request ----------------------------------------------------------------------------------------------------


def test_the_form_goes_out_url_encoded_and_asks_for_plain_json(token_endpoint: TokenServer) -> None:
    post(token_endpoint)
    (seen,) = token_endpoint.seen
    assert seen.form == FORM
    assert {name: seen.headers[name] for name in ("Content-Type", "Accept", "Accept-Encoding", "Authorization")} == {
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Authorization": "Basic x",
    }
    assert seen.headers["User-Agent"] == "refresh-token"


# --- the answer -----------------------------------------------------------------------------------------------------


def test_a_token_is_an_answer(token_endpoint: TokenServer) -> None:
    answer = post(token_endpoint)
    assert answer.document["access_token"] == "access-issued"
    assert not answer.refused


NONSENSE: dict[str, Reply] = {
    "nothing": http(200),
    "204": http(204),
    "HTML": http(200, b"<h1>canary</h1>", Content_Type="text/html"),
    "half a document": http(200, b'{"access_token": "canary'),
    "a list": http(200, b'["canary"]'),
    "text": http(200, b'"canary"'),
    "null": http(200, b"null"),
    "a member twice": http(200, b'{"access_token": "canary", "expires_in": 1, "access_token": "canary-2"}'),
    "a member twice, deep inside": http(200, b'{"access_token": "canary", "x": [{"a": 1, "a": 1}]}'),
    "NaN": http(200, b'{"access_token": "canary", "expires_in": NaN}'),
    "Infinity": http(200, b'{"access_token": "canary", "expires_in": -Infinity}'),
    "a number of 5000 digits": http(200, b'{"access_token": "canary", "expires_in": ' + b"9" * 5000 + b"}"),
    "nested without end": http(200, b"[" * 60_000),
    "bytes that are no text": http(200, b'{"access_token": "canary\xff"}'),
    "UTF-16": http(200, '{"access_token": "canary"}'.encode("utf-16")),
    "10 MB": http(200, b'{"access_token": "' + b"x" * 10_000_000 + b'"}'),
    "gzip": http(200, b"\x1f\x8b\x08", Content_Encoding="gzip"),
    "a redirect": http(302, Location="https://elsewhere.example/canary"),
    "a redirect that keeps the method": http(307, b"{}", Location="https://elsewhere.example/canary"),
    "300": http(300, b'{"access_token": "canary"}'),
    "101": Reply(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", hang_up=True),
}


@pytest.mark.parametrize("reply", NONSENSE.values(), ids=NONSENSE)
def test_an_answer_that_makes_no_sense_is_never_taken_nor_asked_for_twice(
    reply: Reply, token_endpoint: TokenServer
) -> None:
    token_endpoint.answer(reply)
    assert type(fault(token_endpoint, AMPLE)) is IssuerProtocolException
    assert len(token_endpoint.seen) == 1


def test_a_redirect_is_not_followed(token_endpoint: TokenServer) -> None:
    token_endpoint.answer(http(307, Location=f"{token_endpoint.url}/elsewhere"), issued())
    fault(token_endpoint)
    assert [seen.line for seen in token_endpoint.seen] == ["POST / HTTP/1.1"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 418, 422, 499])
def test_a_refusal_is_an_answer_whatever_its_body(status: int, token_endpoint: TokenServer) -> None:
    bodies = (b"", b"<h1>", b"[1]", b'{"error": "x", "error": "y"}', b"x" * 10_000_000, b'{"error": 7}')
    for body in bodies:
        token_endpoint.answer(http(status, body))
        answer = post(token_endpoint)
        assert (answer.status, answer.code, answer.refused) == (status, "", True)
    token_endpoint.answer(oauth_error(status, "invalid_grant"))
    assert post(token_endpoint).code == "invalid_grant"


def test_a_refusal_with_200_is_one(token_endpoint: TokenServer) -> None:
    token_endpoint.answer(http(200, b'{"error": "invalid_grant"}'))
    assert post(token_endpoint).refused


@pytest.mark.parametrize(
    ("status", "challenge", "challenged"),
    [(401, "Basic realm=x", True), (401, "bAsIc", True), (401, "Bearer", False), (403, "Basic", False)],
)
def test_a_challenge_for_other_client_credentials_is_noticed(
    status: int, challenge: str, *, challenged: bool, token_endpoint: TokenServer
) -> None:
    token_endpoint.answer(http(status, b"{}", WWW_Authenticate=challenge))
    assert post(token_endpoint).challenged is challenged


UNAVAILABLE: dict[str, Reply] = {
    **{str(status): http(status, b"canary") for status in (408, 425, 429, 500, 501, 502, 503, 504, 599)},
    "503 that is 10 MB": http(503, b"x" * 10_000_000),
    "500 in gzip": http(500, b"x", Content_Encoding="gzip"),
    "hung up": Reply(hang_up=True),
    "reset": Reply(reset=True),
    "cut off": Reply(issued().raw[:-1], hang_up=True),
    "chunks that are none": Reply(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\ncanary", hang_up=True),
    "no HTTP": Reply(b"canary", hang_up=True),
}


@pytest.mark.parametrize("reply", UNAVAILABLE.values(), ids=UNAVAILABLE)
def test_what_may_pass_is_unavailable(reply: Reply, token_endpoint: TokenServer) -> None:
    token_endpoint.answer(reply)
    assert type(fault(token_endpoint)) is IssuerUnavailableException


def test_nobody_listening_is_unavailable(pauses: list[float]) -> None:
    assert "ConnectionRefusedError" in str(fault(NOBODY_LISTENS, AMPLE, repeatable=False))
    assert len(pauses) == 2, "nothing was sent, so it was tried again"


# --- sending again --------------------------------------------------------------------------------------------------

EITHER, ONLY_REPEATABLE, NEVER = "either", "only repeatable", "never"

REPEATED: dict[str, tuple[Reply, str]] = {
    "429": (http(429), EITHER),
    "429 with a time": (http(429, Retry_After="1"), EITHER),
    "503 with a time": (http(503, Retry_After="1"), EITHER),
    "503": (http(503), ONLY_REPEATABLE),
    "503 with a time that cannot be read": (http(503, Retry_After="soon"), ONLY_REPEATABLE),
    "500 with a time": (http(500, Retry_After="1"), ONLY_REPEATABLE),
    "502": (http(502), ONLY_REPEATABLE),
    "408": (http(408), ONLY_REPEATABLE),
    "hung up": (Reply(hang_up=True), ONLY_REPEATABLE),
    "reset": (Reply(reset=True), ONLY_REPEATABLE),
    "cut off": (Reply(issued().raw[:-1], hang_up=True), ONLY_REPEATABLE),
    "400": (figma_error(400), NEVER),
    "401": (figma_error(401), NEVER),
    "404": (figma_error(404), NEVER),
    "nonsense": (http(200, b"{"), NEVER),
}


@pytest.mark.parametrize("repeatable", [True, False])
@pytest.mark.parametrize(("reply", "when"), REPEATED.values(), ids=REPEATED)
def test_a_form_is_sent_again_only_where_that_is_safe(
    reply: Reply, when: str, *, repeatable: bool, token_endpoint: TokenServer, pauses: list[float]
) -> None:
    token_endpoint.answer(reply, issued())
    with suppress(RefreshTokenError):
        post(token_endpoint, AMPLE, repeatable=repeatable)
    again = when == EITHER or (when == ONLY_REPEATABLE and repeatable)
    assert (len(token_endpoint.seen), len(pauses)) == ((2, 1) if again else (1, 0))


def test_three_attempts_are_the_most(token_endpoint: TokenServer, pauses: list[float]) -> None:
    token_endpoint.answer(http(429))
    fault(token_endpoint, AMPLE)
    assert len(token_endpoint.seen) == 3
    assert 0.1 <= pauses[0] <= 0.2
    assert 0.2 <= pauses[1] <= 0.4


def test_an_attempt_that_might_not_end_in_time_is_not_begun(token_endpoint: TokenServer, pauses: list[float]) -> None:
    token_endpoint.answer(http(429))
    fault(token_endpoint, module.MAX_ATTEMPT_TIME)
    assert (len(token_endpoint.seen), pauses) == (1, [])


def dated(seconds: float, *, zone: bool = True) -> Callable[[], str]:
    def made() -> str:
        moment = datetime.now(UTC) + timedelta(seconds=seconds)
        return format_datetime(moment, usegmt=True) if zone else moment.strftime("%a, %d %b %Y %H:%M:%S")

    return made


ASKED: dict[str, tuple[str | Callable[[], str], tuple[float, float] | None]] = {
    "seconds": ("7", (7.0, 7.0)),
    "seconds with blanks": (" 7 ", (7.0, 7.0)),
    "no seconds, so our own pause": ("0", (0.1, 0.2)),
    "a date": (dated(8), (6.0, 8.0)),
    "a date without a zone": (dated(8, zone=False), (6.0, 8.0)),
    "a date that is past": (dated(-60), (0.1, 0.2)),
    "more than there is time for": ("44", None),
    "a date that there is no time for": (dated(86_400), None),
    "seconds without end": ("9" * 5000, None),
    "negative": ("-1", (0.1, 0.2)),
    "a fraction": ("1.5", (0.1, 0.2)),
    "other digits": ("٣", (0.1, 0.2)),
    "words": ("canary", (0.1, 0.2)),
    "a date that is none": ("Fri, 99 Foo 2026 99:99:99 GMT", (0.1, 0.2)),
}


@pytest.mark.parametrize(("asked", "between"), ASKED.values(), ids=ASKED)
def test_retry_after_is_honoured_as_far_as_there_is_time(
    asked: str | Callable[[], str],
    between: tuple[float, float] | None,
    token_endpoint: TokenServer,
    pauses: list[float],
) -> None:
    header = asked if isinstance(asked, str) else asked()
    token_endpoint.answer(
        Reply(b"HTTP/1.1 429 No\r\nContent-Length: 0\r\nRetry-After: " + header.encode() + b"\r\n\r\n")
    )
    fault(token_endpoint, AMPLE)
    if between is None:
        assert (pauses, len(token_endpoint.seen)) == ([], 1)
    else:
        assert between[0] <= pauses[0] <= between[1]


def test_a_form_that_must_not_be_sent_twice_is_not_sent_with_too_little_time_for_its_answer(
    token_endpoint: TokenServer,
) -> None:
    fault(token_endpoint, 1.9, repeatable=False)
    assert token_endpoint.seen == []
    post(token_endpoint, 1.9)
    post(token_endpoint, 2.9, repeatable=False)
    assert len(token_endpoint.seen) == 2

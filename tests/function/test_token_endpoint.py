"""What becomes of a request to a token endpoint: the answer, and whether and when it is sent again."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from refresh_token.adapters.deadline import Deadline
from refresh_token.errors import IssuerProtocolException, IssuerUnavailableException, RefreshTokenError
from refresh_token.issuers.https_connection import NoReply, Reply
from refresh_token.issuers.retries import pause_before_retry
from refresh_token.issuers.token_endpoint import MAX_ATTEMPT_TIME, TokenEndpoint
from refresh_token.oauth.requests import TokenRequest
from refresh_token.oauth.responses import TokenResponse
from tests.support.canaries import clean_fault
from tests.support.function_environment import NOBODY_LISTENS
from tests.support.token_server import Reply as Sent
from tests.support.token_server import TokenServer, http, issued

FIELDS = {"refresh_token": "canary-refresh", "scope": "a b", "ä": "ö&="}
ONE_ATTEMPT = 12.0
"""Seconds that are enough for one attempt and not for two."""
AMPLE = 55.0
"""Seconds of an invocation that has just begun, less what is kept for the write."""


def post(server: TokenServer | str, seconds: float = ONE_ATTEMPT, *, repeatable: bool = True) -> TokenResponse:
    url = server if isinstance(server, str) else server.url
    request = TokenRequest(url, FIELDS, {"Authorization": "Basic x"})
    return TokenEndpoint(repeatable=repeatable).send(request, Deadline.after(seconds))


def fault(server: TokenServer | str, seconds: float = ONE_ATTEMPT, *, repeatable: bool = True) -> RefreshTokenError:
    return clean_fault(lambda: post(server, seconds, repeatable=repeatable))


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Records the pauses between attempts instead of waiting."""
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    return made


def test_a_form_asks_for_plain_json(token_endpoint: TokenServer) -> None:
    post(token_endpoint)
    (seen,) = token_endpoint.seen
    assert seen.form == FIELDS
    expected = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Authorization": "Basic x",
        "User-Agent": "refresh-token",
    }
    assert {name: seen.headers[name] for name in expected} == expected


class TestAnswer:
    """Only a JSON object of a sensible size is believed."""

    FORMS = (
        ("application/x-www-form-urlencoded", b"access_token=a%2Bb%2F%C3%A9+c&token_type=x&token_type=y"),
        ("Application/X-WWW-Form-Urlencoded ; charset=utf-8", b"access_token=a%2bb%2f%c3%a9%20c&scope="),
        ("text/plain", b"\r\naccess_token=a%2Bb/\xc3\xa9+c&x\r\n"),
    )

    @pytest.mark.parametrize(("content_type", "body"), FORMS)
    def test_a_form_is_read_where_announced(self, content_type: str, body: bytes, token_endpoint: TokenServer) -> None:
        token_endpoint.answer(http(200, body, Content_Type=content_type))
        found = post(token_endpoint).document
        assert found["access_token"] == "a+b/é c"
        assert {**found, "token_type": found.get("token_type", "y")}["token_type"] == "y"
        token_endpoint.answer(http(200, b"token=a"))
        assert type(fault(token_endpoint)) is IssuerProtocolException, "neither announced nor with a token"

    ODD = (
        *(b"[%b]", b")]}',\n%b", b"callback(%b);", b"\0%b"),
        b"<br />\n<b>Warning</b>: {x} in <b>/token.php</b><br />\n%b",
    )

    @pytest.mark.parametrize("form", ODD)
    def test_a_token_is_found_in_no_object(self, form: bytes, token_endpoint: TokenServer) -> None:
        token_endpoint.answer(http(200, form % b'{"access_token": "a\\"b", "expires_in": 60, "scope": null}'))
        assert post(token_endpoint).document == {"access_token": 'a"b', "expires_in": 60}

    CUT_OFF = (
        (b'{"access_token": "a", "name": "J\xc3\xb6rg"', {"access_token": "a", "name": "Jörg"}),
        (b'{"access_token": "a", "expires_in": 36', {"access_token": "a"}),
        (b'{"refresh_token": "r", "access_token": "a', {"refresh_token": "r", "access_token": False}),
        (b'{"access_token": "a", "refresh_token": "r\\', {"access_token": "a", "refresh_token": False}),
        (b'{"data": {"accessToken": "a", "x": {"refreshToken": "r"', {"accessToken": "a", "refreshToken": "r"}),
    )

    @pytest.mark.parametrize(("body", "members"), CUT_OFF)
    def test_a_cut_off_answer_loses_no_token(
        self, body: bytes, members: dict[str, object], token_endpoint: TokenServer
    ) -> None:
        token_endpoint.answer(Sent(raw=http(200, body, Content_Length="999").wire, hang_up=True))
        assert post(token_endpoint).document == members

    @pytest.mark.parametrize("body", [b'<!DOCTYPE html>{"access_token": "a"}', b'{"name": "x"', b"?access_token= a"])
    def test_a_page_has_no_token(self, body: bytes, token_endpoint: TokenServer) -> None:
        token_endpoint.answer(http(200, body))
        assert type(fault(token_endpoint)) is IssuerProtocolException

    def test_an_unannounced_form_may_hold_a_token(self, token_endpoint: TokenServer) -> None:
        token_endpoint.answer(http(200, b"scope=&access_token=a%2B&expires_in=60"))
        assert post(token_endpoint).document == {"access_token": "a+", "expires_in": "60"}

    def test_a_form_may_refuse(self, token_endpoint: TokenServer) -> None:
        body = b"error=bad_refresh_token&error_description=The+refresh+token+is+incorrect."
        token_endpoint.answer(http(200, body, Content_Type="application/x-www-form-urlencoded; charset=utf-8"))
        assert (post(token_endpoint).refused, post(token_endpoint).code) == (True, "bad_refresh_token")

    def test_a_challenge_comes_along(self, token_endpoint: TokenServer) -> None:
        token_endpoint.answer(http(401, b"{}", WWW_Authenticate="Basic realm=x"))
        assert post(token_endpoint) == TokenResponse(401, {}, "Basic realm=x")

    def test_a_token_of_10_mb_is_nonsense(self, token_endpoint: TokenServer) -> None:
        token_endpoint.answer(http(200, b'{"access_token": "' + b"x" * 10_000_000 + b'"}'))
        assert type(fault(token_endpoint, AMPLE)) is IssuerProtocolException

    @pytest.mark.parametrize("status", [101, 302, 307, 400, 404, 499, 503])
    def test_any_other_status_is_a_refusal(self, status: int, token_endpoint: TokenServer) -> None:
        for body in (b"", b"<h1>", b"[1]", b"x" * 10_000_000):
            token_endpoint.answer(http(status, body, Location=f"{token_endpoint.url}/elsewhere"))
            response = post(token_endpoint)
            assert (response, response.refused) == (TokenResponse(status, {}), True)
        assert {seen.line for seen in token_endpoint.seen} == {"POST / HTTP/1.1"}, "no redirect is followed"

    def test_a_broken_connection_is_unavailable(self, token_endpoint: TokenServer) -> None:
        token_endpoint.answer(Sent(hang_up=True))
        error = fault(token_endpoint)
        assert type(error) is IssuerUnavailableException
        assert "(RemoteDisconnected)" in str(error)
        assert "address, proxy" in str(error)


class TestSendingAgain:
    """A request is repeated only where that is safe, and only if the repetition ends in time."""

    def test_nobody_listening(self, pauses: list[float]) -> None:
        assert "ConnectionRefusedError" in str(fault(NOBODY_LISTENS, AMPLE, repeatable=False))
        assert len(pauses) == 2, "nothing was sent, so it was tried again"

    @pytest.mark.parametrize("repeatable", [True, False])
    def test_after_a_lost_answer(self, token_endpoint: TokenServer, pauses: list[float], *, repeatable: bool) -> None:
        token_endpoint.answer(Sent(hang_up=True), issued())
        if repeatable:
            assert not post(token_endpoint, AMPLE).refused
        else:
            fault(token_endpoint, AMPLE, repeatable=False)
        assert (len(token_endpoint.seen), len(pauses)) == ((2, 1) if repeatable else (1, 0))

    def test_three_attempts_are_the_most(self, token_endpoint: TokenServer, pauses: list[float]) -> None:
        token_endpoint.answer(http(429))
        assert post(token_endpoint, AMPLE, repeatable=False).status == 429
        assert len(token_endpoint.seen) == 3
        assert 0.1 <= pauses[0] <= 0.2
        assert 0.2 <= pauses[1] <= 0.4

    def test_not_after_a_token(self, token_endpoint: TokenServer, pauses: list[float]) -> None:
        token_endpoint.answer(http(429, issued().body))
        assert not post(token_endpoint, AMPLE).refused
        assert (len(token_endpoint.seen), pauses) == (1, [])

    @pytest.mark.parametrize(("seconds", "named"), [(MAX_ATTEMPT_TIME, "0"), (AMPLE, "44"), (AMPLE, "9" * 5000)])
    def test_not_too_late(self, seconds: float, named: str, token_endpoint: TokenServer, pauses: list[float]) -> None:
        token_endpoint.answer(http(429, Retry_After=named))
        post(token_endpoint, seconds)
        assert (len(token_endpoint.seen), pauses) == (1, [])

    def test_a_final_request_needs_more_time(self, token_endpoint: TokenServer) -> None:
        fault(token_endpoint, 1.9, repeatable=False)
        assert token_endpoint.seen == []
        post(token_endpoint, 1.9)
        post(token_endpoint, 2.9, repeatable=False)
        assert len(token_endpoint.seen) == 2


def replied(status: int, retry_after: str | None = None) -> Reply:
    return Reply(status, b"", retry_after)


EITHER, ONLY_REPEATABLE, NEVER = "either", "only repeatable", "never"
REPEATED: dict[str, tuple[Reply | NoReply, str]] = {
    "429": (replied(429), EITHER),
    "429 with a time": (replied(429, "1"), EITHER),
    "503 with a time": (replied(503, "1"), EITHER),
    "no connection": (NoReply("refused", sent=False), EITHER),
    "503": (replied(503), ONLY_REPEATABLE),
    "503 with a time that cannot be read": (replied(503, "soon"), ONLY_REPEATABLE),
    "500 with a time": (replied(500, "1"), ONLY_REPEATABLE),
    "502": (replied(502), ONLY_REPEATABLE),
    "408": (replied(408), ONLY_REPEATABLE),
    "425": (replied(425), ONLY_REPEATABLE),
    "no answer": (NoReply("reset", sent=True), ONLY_REPEATABLE),
    "a wrong certificate": (NoReply("no", sent=False, trusted=False), NEVER),
    "200": (replied(200), NEVER),
    "307": (replied(307, "1"), NEVER),
    "400": (replied(400), NEVER),
    "401": (replied(401), NEVER),
    "404": (replied(404), NEVER),
}


def dated(seconds: float, *, zone: bool = True) -> Callable[[], str]:
    def made() -> str:
        moment = datetime.now(UTC) + timedelta(seconds=seconds)
        return format_datetime(moment, usegmt=True) if zone else moment.strftime("%a, %d %b %Y %H:%M:%S")

    return made


OURS = (0.1, 0.2)
RETRY_AFTER: dict[str, tuple[str | Callable[[], str], tuple[float, float]]] = {
    "seconds": ("7", (7.0, 7.0)),
    "seconds with blanks": (" 7 ", (7.0, 7.0)),
    "no seconds": ("0", OURS),
    "a date": (dated(8), (6.0, 8.0)),
    "a date without a zone": (dated(8, zone=False), (6.0, 8.0)),
    "a date that is past": (dated(-60), OURS),
    "a late date": (dated(86_400), (86_398, 86_400)),
    "seconds without end": ("9" * 5000, (float("inf"), float("inf"))),
    "negative": ("-1", OURS),
    "a fraction": ("1.5", OURS),
    "other digits": ("٣", OURS),
    "words": ("canary", OURS),
    "a date that is none": ("Fri, 99 Foo 2026 99:99:99 GMT", OURS),
}


class TestPause:
    @pytest.mark.parametrize("repeatable", [True, False])
    @pytest.mark.parametrize(("got", "when"), REPEATED.values(), ids=REPEATED)
    def test_only_where_repeating_is_safe(self, got: Reply | NoReply, when: str, *, repeatable: bool) -> None:
        again = when == EITHER or (when == ONLY_REPEATABLE and repeatable)
        assert (pause_before_retry(got, 0, repeatable=repeatable) is not None) is again

    @pytest.mark.parametrize(("named", "between"), RETRY_AFTER.values(), ids=RETRY_AFTER)
    def test_honours_retry_after(self, named: str | Callable[[], str], between: tuple[float, float]) -> None:
        header = named if isinstance(named, str) else named()
        pause = pause_before_retry(replied(429, header), 0, repeatable=False)
        assert pause is not None
        assert between[0] <= pause <= between[1]

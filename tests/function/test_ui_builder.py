"""Amplify UI Builder on the wire. `test_issuer_contract.py` has what all issuers share."""

import json
from dataclasses import replace

import botocore.session
import pytest

from refresh_token import errors
from refresh_token.adapters import aws_clients
from refresh_token.core.grant import Grant
from refresh_token.core.issued_token import Issued, IssuedToken
from refresh_token.issuers.ui_builder import UiBuilderIssuer
from tests.support.canaries import clean_fault
from tests.support.token_server import LIFETIME, Reply, TokenServer, ui_builder_error, ui_builder_issued

REFRESH, CLIENT = "canary-refresh", "canary-client"
ONE_ATTEMPT = 15.0
"""Seconds that are enough for one attempt and not for two: no waiting in between."""


ISSUED = IssuedToken(access_token="access-issued", expires_in=LIFETIME)


def refresh(client_id: str | None = CLIENT, seconds: float = ONE_ATTEMPT) -> Issued:
    return UiBuilderIssuer().refresh(Grant(REFRESH), client_id, seconds=seconds)


def fault(seconds: float = ONE_ATTEMPT) -> errors.RefreshTokenError:
    return clean_fault(lambda: refresh(seconds=seconds))


class TestRequest:
    def test_is_signed_and_holds_token_and_client(self, ui_builder: TokenServer) -> None:
        refresh()
        (seen,) = ui_builder.seen
        assert seen.line == "POST /tokens/figma/refresh HTTP/1.1"
        assert seen.document == {"token": REFRESH, "clientId": CLIENT}
        assert "/eu-west-1/amplifyuibuilder/aws4_request" in seen.headers["Authorization"]
        assert "canary" not in str(seen.headers)

    def test_has_no_unknown_client(self, ui_builder: TokenServer) -> None:
        refresh(client_id=None)
        assert [seen.document for seen in ui_builder.seen] == [{"token": REFRESH}]

    def test_shares_a_connection_and_no_answer(self, ui_builder: TokenServer) -> None:
        ui_builder.answer(ui_builder_issued(refreshToken="rotated"), ui_builder_issued(accessToken="second"))
        assert refresh() == replace(ISSUED, refresh_token="rotated")
        assert refresh() == IssuedToken(access_token="second", expires_in=LIFETIME)


NONSENSE: dict[str, Reply] = {
    "lists nested without end": Reply(body=b"[" * 200_000),
    "objects nested without end": Reply(body=b'{"accessToken":' * 100_000),
    "Figma's spelling": Reply(body=b'{"access_token": "canary", "expires_in": 60}'),
}


class TestAnswer:
    """botocore's parser never sees the body, because it would misread it."""

    @pytest.mark.parametrize("reply", NONSENSE.values(), ids=NONSENSE)
    def test_is_nonsense_otherwise(self, reply: Reply, ui_builder: TokenServer) -> None:
        ui_builder.answer(reply)
        assert type(fault()) is errors.IssuerProtocolException
        assert len(ui_builder.seen) == 1, "nonsense ends the attempts"


Reauthorize, Unavailable, Misconfigured, Nonsense = (
    errors.ReauthorizationRequiredException,
    errors.IssuerUnavailableException,
    errors.ConfigurationException,
    errors.IssuerProtocolException,
)
ERRORS: list[tuple[int, tuple[str, ...], type[errors.RefreshTokenError]]] = [
    *((status, ("",), Nonsense) for status in (301, 302, 307)),
    *((status, ("InvalidParameterException",), Reauthorize) for status in (400, 401, 403)),
    (400, ("", "ValidationException", "SomethingElse"), Unavailable),
    (400, ("ThrottlingException", "Throttling", "RequestLimitExceeded"), Unavailable),
    (400, ("ExpiredTokenException", "IncompleteSignature", "UnrecognizedClientException"), Misconfigured),
    (401, ("", "UnauthorizedException"), Unavailable),
    (403, ("", "ForbiddenException"), Unavailable),
    (403, ("AccessDeniedException", "AccessDenied", "InvalidSignatureException", "OptInRequired"), Misconfigured),
    (403, ("SignatureDoesNotMatch", "MissingAuthenticationTokenException", "ExpiredToken"), Misconfigured),
    (403, ("UnrecognizedClientException",), Misconfigured),
    (403, ("ThrottlingException",), Unavailable),
    (404, ("", "ResourceNotFoundException"), Nonsense),
    *((status, ("",), Nonsense) for status in (405, 409, 413, 418)),
    (408, ("",), Unavailable),
    (429, ("", "TooManyRequestsException"), Unavailable),
    (500, ("InternalServerException", "InvalidParameterException"), Unavailable),
    *((status, ("",), Unavailable) for status in (501, 502, 504, 599)),
    (503, ("ServiceUnavailable",), Unavailable),
]
TEMPORARY = (
    *("Rate limit exceeded", "Too many requests, please try again later.", "Request limit exceeded."),
    *("This token is already being processed", "Service temporarily unavailable"),
)

MISSING = {
    "no credentials": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    "half of the credentials": ("AWS_SECRET_ACCESS_KEY",),
    "no region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
}


class TestErrors:
    """Status and code decide what an error means, and nothing else of it is shown."""

    @pytest.mark.parametrize(("status", "codes", "expected"), ERRORS, ids=[f"{s}-{codes[0]}" for s, codes, _ in ERRORS])
    def test_mean_what_status_and_code_say(
        self, status: int, codes: tuple[str, ...], expected: type[errors.RefreshTokenError], ui_builder: TokenServer
    ) -> None:
        for code in codes:
            ui_builder.answer(ui_builder_error(status, code, f"{REFRESH} {CLIENT}"))
            error = fault()
            assert type(error) is expected, code
            assert (code if expected is Misconfigured else f"HTTP {status}") in str(error)

    @pytest.mark.parametrize("status", [400, 401, 403])
    def test_its_words_may_call_it_temporary(self, status: int, ui_builder: TokenServer) -> None:
        for message in TEMPORARY:
            ui_builder.answer(ui_builder_error(status, "InvalidParameterException", message))
            assert type(fault()) is Unavailable, message
            body = json.dumps({"__type": "x#InvalidParameterException", "Message": message}).encode()
            ui_builder.answer(Reply(status, body))
            assert type(fault()) is Unavailable, message

    def test_a_code_may_stand_in_the_body(self, ui_builder: TokenServer) -> None:
        for key in ("__type", "code", "Code"):
            for prefix in ("", "com.amazonaws.amplifyuibuilder#"):
                ui_builder.answer(Reply(403, f'{{"{key}": "{prefix}AccessDeniedException"}}'.encode()))
                assert type(fault()) is Misconfigured

    def test_a_code_may_have_an_address(self, ui_builder: TokenServer) -> None:
        ui_builder.answer(ui_builder_error(403, "AccessDeniedException:http://internal.amazon.com/coral/"))
        assert type(fault()) is Misconfigured

    def test_an_echoed_code_is_not_shown(self, ui_builder: TokenServer) -> None:
        ui_builder.answer(ui_builder_error(400, REFRESH, CLIENT))
        assert type(fault()) is Unavailable

    def test_a_redirect_is_not_followed(self, ui_builder: TokenServer) -> None:
        ui_builder.answer(Reply(307, headers={"Location": f"{ui_builder.url}/elsewhere"}), ui_builder_issued())
        assert type(fault()) is Nonsense
        assert [seen.line for seen in ui_builder.seen] == ["POST /tokens/figma/refresh HTTP/1.1"]

    @pytest.mark.parametrize("missing", MISSING.values(), ids=MISSING)
    def test_missing_credentials_or_region_are_misconfigured(
        self, missing: tuple[str, ...], ui_builder: TokenServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in missing:
            monkeypatch.delenv(name)
        monkeypatch.setattr(aws_clients, "session", botocore.session.get_session)
        assert type(fault()) is Misconfigured
        assert ui_builder.seen == []


TRANSIENT = {
    **{str(status): ui_builder_error(status) for status in (429, 500, 502)},
    "throttled": ui_builder_error(400, "ThrottlingException"),
    "dropped": Reply(hang_up=True),
}
ATTEMPTS = [(60.0, 3), (49.0, 3), (48.9, 2), (30.0, 2), (29.9, 1), (12.0, 1), (5.0, 1), (0.0, 1), (-5.0, 1)]


@pytest.mark.usefixtures("fast_retries")
class TestRetries:
    """A transient fault is tried again as long as there is time for another attempt."""

    @pytest.mark.parametrize(("seconds", "attempts"), ATTEMPTS)
    def test_attempts_fit_the_time(self, seconds: float, attempts: int, ui_builder: TokenServer) -> None:
        ui_builder.answer(ui_builder_error(503))
        assert type(fault(seconds)) is Unavailable
        assert len(ui_builder.seen) == attempts

    @pytest.mark.parametrize("reply", TRANSIENT.values(), ids=TRANSIENT)
    def test_a_transient_fault_goes_unnoticed(self, reply: Reply, ui_builder: TokenServer) -> None:
        ui_builder.answer(reply, ui_builder_issued())
        assert refresh(seconds=60.0) == ISSUED
        assert len(ui_builder.seen) == 2

    @pytest.mark.parametrize("status", [400, 401, 403, 404])
    def test_a_refusal_is_not_tried_again(self, status: int, ui_builder: TokenServer) -> None:
        ui_builder.answer(ui_builder_error(status))
        fault(seconds=60.0)
        assert len(ui_builder.seen) == 1

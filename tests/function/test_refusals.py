"""What a refusal means, by code, words and status, and the error that the function makes of it."""

import pytest

from refresh_token.errors import (
    ConfigurationException,
    IssuerProtocolException,
    IssuerUnavailableException,
    ReauthorizationRequiredException,
    RefreshTokenError,
)
from refresh_token.issuers.refusal_errors import refusal_error
from refresh_token.oauth.refusals import CODE_EXCHANGE, FIGMA_REFRESH, SERVER_REFRESH, Refusal, meaning
from refresh_token.oauth.responses import TokenResponse
from tests.support.canaries import assert_clean

GRANT, APP, SETTINGS, LATER, NONSENSE = Refusal
REFUSED = (400, 401, 403)
BASIC = 'bAsIc realm="issuer"'


def refused(status: int, error: object = None, message: object = None, challenge: str = "") -> TokenResponse:
    members = {"error": error, "message": message}
    return TokenResponse(status, {name: value for name, value in members.items() if value is not None}, challenge)


def table(*rows: tuple[tuple[int, ...], str, Refusal]) -> list[tuple[int, str, Refusal]]:
    return [(status, code, means) for statuses, code, means in rows for status in statuses]


EVERYWHERE = (
    ((408, 425, 429, 500, 501, 502, 503, 504, 599), "invalid_grant", LATER),
    ((101, 300, 302, 307), "invalid_grant", NONSENSE),
    ((200, *REFUSED, 404), "invalid_grant", GRANT),
    ((200, *REFUSED, 404), "invalid_client", APP),
    (REFUSED, "unauthorized_client", APP),
)
"""The meaning of a code that each kind of request shares: (statuses, code, meaning)."""


class TestCodes:
    """An error code decides, whatever the status, unless the issuer is failing or redirecting."""

    SERVER = (
        *EVERYWHERE,
        (REFUSED, "access_denied", GRANT),
        ((200, 404, 409, 418, 499), "canary", NONSENSE),
        (REFUSED, "invalid_request", SETTINGS),
        (REFUSED, "unsupported_grant_type", SETTINGS),
        (REFUSED, "invalid_scope", SETTINGS),
        (REFUSED, "server_error", LATER),
        (REFUSED, "temporarily_unavailable", LATER),
        (REFUSED, "slow_down", LATER),
    )

    @pytest.mark.parametrize(("status", "code", "expected"), table(*SERVER))
    def test_server_refresh(self, status: int, code: str, expected: Refusal) -> None:
        assert meaning(refused(status, code), SERVER_REFRESH) is expected

    FIGMA = (*EVERYWHERE, (REFUSED, "invalid_request", GRANT), ((200, 404), "canary", NONSENSE))

    @pytest.mark.parametrize(("status", "code", "expected"), table(*FIGMA))
    def test_figma_refresh(self, status: int, code: str, expected: Refusal) -> None:
        assert meaning(refused(status, code), FIGMA_REFRESH) is expected

    EXCHANGE = (
        *EVERYWHERE,
        ((200, 400, 403, 404), "canary", GRANT),
        ((401,), "canary", APP),
        (REFUSED, "invalid_request", SETTINGS),
        (REFUSED, "invalid_scope", SETTINGS),
        ((400, 403), "server_error", GRANT),
    )

    @pytest.mark.parametrize(("status", "code", "expected"), table(*EXCHANGE))
    def test_code_exchange(self, status: int, code: str, expected: Refusal) -> None:
        assert meaning(refused(status, code), CODE_EXCHANGE) is expected

    @pytest.mark.parametrize("error", [None, 7, True, ["invalid_client"]])
    def test_without_a_code_the_status_decides(self, error: object) -> None:
        for rules in (SERVER_REFRESH, FIGMA_REFRESH):
            assert {meaning(refused(status, error), rules) for status in REFUSED} == {GRANT}
            assert meaning(refused(404, error), rules) is NONSENSE

    CHALLENGES = (
        (401, None, BASIC, APP),
        (401, "invalid_grant", BASIC, GRANT),
        (401, None, "Bearer", GRANT),
        (403, None, BASIC, GRANT),
    )

    @pytest.mark.parametrize(("status", "code", "challenge", "expected"), CHALLENGES)
    def test_a_challenge_blames_the_app(self, status: int, code: str, challenge: str, expected: Refusal) -> None:
        for rules in (SERVER_REFRESH, FIGMA_REFRESH):
            assert meaning(refused(status, code, challenge=challenge), rules) is expected


class TestFigmasWords:
    """Figma has no codes, so its words tell the app from the grant."""

    MESSAGES = (
        ("Invalid refresh token", GRANT),
        ("Token was revoked for this client", GRANT),
        ("Invalid grant for this app", GRANT),
        ("Unauthorized", GRANT),
        ("", GRANT),
        ("It happened", GRANT),  # "app" inside another word
        (["client"], GRANT),
        ("Invalid client credentials", APP),
        ("Parameter client_id is required", APP),
        ("The secret is wrong", APP),
        ("This app was suspended", APP),
    )

    @pytest.mark.parametrize(("message", "expected"), MESSAGES)
    def test_decide_with_a_refusing_status(self, message: object, expected: Refusal) -> None:
        answers = [refused(status, message=message) for status in REFUSED]
        assert {meaning(answer, FIGMA_REFRESH) for answer in answers} == {expected}
        assert {meaning(answer, SERVER_REFRESH) for answer in answers} == {GRANT}
        assert meaning(refused(404, message=message), FIGMA_REFRESH) is NONSENSE

    def test_do_not_overrule_a_code(self) -> None:
        said = {"error": "invalid_grant", "error_description": "Not a grant of this client"}
        for words in (said, {**said, "error_description": "Wrong client"}):
            assert meaning(TokenResponse(400, words), FIGMA_REFRESH) is GRANT

    def test_may_stand_in_the_standards_member(self) -> None:
        said = {"error": "canary", "error_description": "Wrong client"}
        assert meaning(TokenResponse(400, said), FIGMA_REFRESH) is APP


ERRORS: list[tuple[int, str, type[RefreshTokenError], str]] = [
    (400, "canary", ReauthorizationRequiredException, "(HTTP 400)"),
    (401, "invalid_client", ConfigurationException, "`tokenctl app-credentials"),
    (400, "invalid_scope", ConfigurationException, "`invalid_scope`"),
    (503, "canary", IssuerUnavailableException, "could not be used (HTTP 503)"),
    (400, "slow_down", IssuerUnavailableException, "cannot refresh now (HTTP 400)"),
    (404, "canary", IssuerProtocolException, "HTTP 404"),
]


@pytest.mark.parametrize(("status", "code", "expected", "said"), ERRORS)
def test_each_meaning_has_its_error(status: int, code: str, expected: type[RefreshTokenError], said: str) -> None:
    error = refusal_error(refused(status, code, "canary"), SERVER_REFRESH)
    assert type(error) is expected
    assert said in str(error)
    assert_clean(error)


@pytest.mark.parametrize(
    ("status", "document", "expected"),
    [
        (200, {"access_token": "A"}, False),
        (201, {"access_token": "A", "error": "x"}, False),
        (200, {}, False),
        (200, {"error": "x"}, True),
        (200, {"error": True}, True),
        (302, {"access_token": "A"}, True),
        (400, {"access_token": "A"}, True),
        (101, {"access_token": "A"}, True),
    ],
)
def test_what_counts_as_a_refusal(status: int, document: dict[str, object], *, expected: bool) -> None:
    assert TokenResponse(status, document).refused is expected

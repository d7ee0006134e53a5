"""What a refusal means, by code, words and status, and the error that the function makes of it."""

import pytest

from refresh_token import errors
from refresh_token.issuers.refusal_errors import refusal_error
from refresh_token.oauth.refusal_codes import Refusal
from refresh_token.oauth.refusals import CODE_EXCHANGE, FIGMA_REFRESH, SERVER_REFRESH, meaning
from refresh_token.oauth.responses import TokenResponse
from tests.support.canaries import assert_clean

GRANT, APP, SETTINGS, LATER, UNEXPLAINED, NONSENSE = Refusal
REFUSED = (400, 401, 403)
BASIC = 'bAsIc realm="issuer"'


def refused(status: int, error: object = None, message: object = None, challenge: str = "") -> TokenResponse:
    members = {"error": error, "message": message}
    return TokenResponse(status, {name: value for name, value in members.items() if value is not None}, challenge)


def table(*rows: tuple[tuple[int, ...], str, Refusal]) -> list[tuple[int, str, Refusal]]:
    return [(status, code, means) for statuses, code, means in rows for status in statuses]


EVERYWHERE = (
    ((408, 425, 429, 500, 501, 502, 503, 504, 599), "invalid_grant", UNEXPLAINED),
    ((429, 500), "invalid_client", LATER),
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
        (REFUSED, "access_denied", UNEXPLAINED),
        ((200, *REFUSED), "canary", GRANT),
        ((404, 405, 409, 418, 499), "canary", NONSENSE),
        (REFUSED, "invalid_request", SETTINGS),
        (REFUSED, "unsupported_grant_type", SETTINGS),
        (REFUSED, "invalid_scope", SETTINGS),
        (REFUSED, "server_error", LATER),
        (REFUSED, "temporarily_unavailable", LATER),
        (REFUSED, "slow_down", LATER),
        ((200, 400), "bad_refresh_token", GRANT),
        ((200, 400), "Invalid_Refresh_Token", GRANT),
        ((200, 400), "incorrect_client_credentials", APP),
        ((200, 403), "ratelimited", LATER),
        (REFUSED, "REQUEST_LIMIT_EXCEEDED", LATER),
    )

    @pytest.mark.parametrize(("status", "code", "expected"), table(*SERVER))
    def test_server_refresh(self, status: int, code: str, expected: Refusal) -> None:
        assert meaning(refused(status, code), SERVER_REFRESH) is expected

    FIGMA = (*EVERYWHERE, (REFUSED, "invalid_request", GRANT), ((200,), "canary", GRANT), ((404,), "canary", NONSENSE))

    @pytest.mark.parametrize(("status", "code", "expected"), table(*FIGMA))
    def test_figma_refresh(self, status: int, code: str, expected: Refusal) -> None:
        assert meaning(refused(status, code), FIGMA_REFRESH) is expected

    EXCHANGE = (
        *EVERYWHERE,
        ((200, 400, 403), "canary", GRANT),
        ((400,), "access_denied", GRANT),
        ((404, 405), "canary", NONSENSE),
        ((401,), "canary", APP),
        (REFUSED, "invalid_request", SETTINGS),
        (REFUSED, "invalid_scope", SETTINGS),
        ((400, 403), "server_error", LATER),
    )

    @pytest.mark.parametrize(("status", "code", "expected"), table(*EXCHANGE))
    def test_code_exchange(self, status: int, code: str, expected: Refusal) -> None:
        assert meaning(refused(status, code), CODE_EXCHANGE) is expected

    @pytest.mark.parametrize("error", [None, 7, True, "", " ", ["canary"], [7], {"code": 401}])
    def test_without_a_code_nothing_is_explained(self, error: object) -> None:
        for rules in (SERVER_REFRESH, FIGMA_REFRESH, CODE_EXCHANGE):
            assert {meaning(refused(status, error), rules) for status in (200, *REFUSED)} == {UNEXPLAINED}
            assert {meaning(refused(status, error), rules) for status in (404, 405)} == {NONSENSE}

    ELSEWHERE: tuple[tuple[dict[str, object], Refusal], ...] = (
        ({"error": {"code": "invalid_grant"}}, GRANT),
        ({"error": {"code": 401, "status": "invalid_client"}}, APP),
        ({"errorCode": "invalid_grant"}, GRANT),
        ({"code": "bad_refresh_token"}, GRANT),
        ({"ok": False, "error": "token_revoked"}, GRANT),
        ({"errors": [{"errorType": "invalid_grant", "message": "No."}], "success": False}, GRANT),
        ({"errors": [7, None, "invalid_grant"]}, GRANT),
        ({"error": ["invalid_client"]}, APP),
        ({"error": {"error": "invalidGrant"}}, GRANT),
        ({"error": "Invalid-Grant"}, GRANT),
        ({"error": "INVALID_CLIENT"}, APP),
        ({"error": "Access Denied"}, UNEXPLAINED),
        ({"error": True, "status": "BAD_REFRESH_TOKEN"}, GRANT),
        ({"error": "invalid_request", "error_description": "The refresh token has expired."}, GRANT),
        ({"error": "invalid_request", "error_description": "The session has expired."}, SETTINGS),
        ({"errors": [{"title": "No.", "detail": "Unknown refresh token"}]}, GRANT),
        ({"ok": False}, UNEXPLAINED),
        ({"code": "FORBIDDEN", "message": "No."}, UNEXPLAINED),
    )

    @pytest.mark.parametrize(("document", "expected"), ELSEWHERE)
    def test_a_code_may_stand_elsewhere(self, document: dict[str, object], expected: Refusal) -> None:
        for status in (200, 400):
            response = TokenResponse(status, document)
            assert (response.refused, meaning(response, SERVER_REFRESH)) == (True, expected)

    CHALLENGES = (
        (401, None, "a" * 200_000, UNEXPLAINED),
        (401, None, "Bearer, error=invalid_grant", GRANT),
        (401, None, 'Bearer error="invalid_grant', GRANT),
        (401, None, BASIC, APP),
        (401, "invalid_grant", BASIC, GRANT),
        (401, None, "Bearer", UNEXPLAINED),
        (403, None, BASIC, UNEXPLAINED),
        (401, None, f"Bearer realm=x, {BASIC}", APP),
        (401, None, f'Negotiate abc==, Digest qop="auth, basic", {BASIC}', APP),
        (401, None, 'Digest realm="a, Basic b"', UNEXPLAINED),
        (401, None, 'Digest realm="a \\", Basic x"', UNEXPLAINED),
        (401, None, "basic", APP),
        (400, None, 'Bearer error="invalid_client"', APP),
        (401, None, 'Basic realm="x", Bearer realm="y" , error = "invalid_grant"', GRANT),
        (401, None, "Bearer error=invalid_token", GRANT),
        (401, "invalid_client", 'Bearer error="invalid_token"', APP),
    )

    @pytest.mark.parametrize(("status", "code", "challenge", "expected"), CHALLENGES)
    def test_a_challenge_blames_the_app(self, status: int, code: str, challenge: str, expected: Refusal) -> None:
        for rules in (SERVER_REFRESH, FIGMA_REFRESH):
            assert meaning(refused(status, code, challenge=challenge), rules) is expected


Document = dict[str, object]


def said(code: str, words: str) -> Document:
    return {"error": code, "error_description": words}


PROVIDERS: list[tuple[str, int, Document, Refusal]] = [
    ("Atlassian", 403, said("unauthorized_client", "refresh_token is invalid"), GRANT),
    ("Atlassian", 403, said("invalid_grant", "Unknown or invalid refresh token."), GRANT),
    ("Atlassian", 401, said("access_denied", "Unauthorized"), UNEXPLAINED),
    ("Auth0", 403, said("unauthorized_client", "Grant type 'refresh_token' not allowed."), APP),
    ("Auth0", 403, {"error": "too_many_attempts"}, LATER),
    ("Bitbucket", 400, said("invalid_request", "Invalid refresh_token"), GRANT),
    ("Cloudflare", 403, {"title": "You are being rate limited", "error_code": 1015, "retryable": True}, LATER),
    ("Cloudflare", 403, {"type": "https://errors.example/1010", "title": "Access denied", "status": 403}, UNEXPLAINED),
    ("Discord", 400, {"code": 50035, "errors": {"grant_type": {"_errors": [{"code": "CHOICES"}]}}}, UNEXPLAINED),
    ("Dropbox", 400, {"error": "invalid_client: Invalid client_id or client_secret"}, APP),
    ("Dropbox", 400, said("invalid_grant", "refresh token is invalid or revoked"), GRANT),
    ("Exact", 401, said("unauthorized_client", "Old refresh token used."), GRANT),
    ("Exact", 400, said("access_denied", "Rate limit exceeded: access_token not expired"), LATER),
    ("Fitbit", 400, {"errors": [{"errorType": "invalid_grant", "message": "No."}], "success": False}, GRANT),
    ("a gateway", 401, {"error": "Unauthorized"}, UNEXPLAINED),
    ("a gateway", 400, {"error": "bad_request"}, UNEXPLAINED),
    ("a gateway", 403, {"timestamp": "now", "status": 403, "error": "Forbidden", "path": "/token"}, UNEXPLAINED),
    ("a gateway", 403, {"message": "Forbidden"}, UNEXPLAINED),
    ("a gateway", 401, {"message": "Invalid token"}, UNEXPLAINED),
    ("Google", 400, said("invalid_grant", "Token has been expired or revoked."), GRANT),
    ("Google", 400, {"error": "invalid_grant", "error_subtype": "invalid_rapt"}, GRANT),
    ("Google", 403, {"error": {"code": 403, "errors": [{"reason": "rateLimitExceeded"}], "message": "No."}}, LATER),
    ("GraphQL", 200, {"data": None, "errors": [{"message": "No.", "extensions": {"code": "INVALID_GRANT"}}]}, GRANT),
    ("GraphQL", 200, {"errors": [{"message": "invalid_client"}]}, APP),
    ("HubSpot", 400, {"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"}, GRANT),
    ("HubSpot", 400, {"status": "BAD_CLIENT_ID", "message": "missing or invalid client id"}, APP),
    ("HubSpot", 400, {"status": "BAD_CLIENT_SECRET", "message": "missing or invalid client secret"}, APP),
    ("LinkedIn", 400, said("invalid_request", "The token used has been revoked by the user"), GRANT),
    ("LinkedIn", 400, said("invalid_request", "The access token has been revoked"), SETTINGS),
    ("Microsoft", 400, {**said("invalid_grant", "AADSTS700082: expired"), "error_codes": [700082]}, GRANT),
    ("Microsoft", 401, {"error": "invalid_client", "error_codes": [7000222]}, APP),
    ("Microsoft", 400, {"error": "interaction_required", "suberror": "basic_action", "error_codes": [50076]}, GRANT),
    ("Microsoft", 400, {"error": "temporarily_unavailable", "error_codes": [90033]}, LATER),
    ("Microsoft", 400, said("unauthorized_client", "AADSTS700016: Application not found"), APP),
    ("Okta", 401, {"errorCode": "invalid_client", "errorSummary": "Invalid value for 'client_id' parameter."}, APP),
    ("Okta", 400, {"errorCode": "E0000047", "errorSummary": "API call exceeded rate limit"}, LATER),
    ("RFC 9457", 400, {"type": "https://issuer.example/problems/invalid-grant", "title": "No.", "status": 400}, GRANT),
    ("RFC 9457", 401, {"type": "about:blank", "title": "Invalid client", "status": 401}, APP),
    ("RFC 9457", 401, {"type": "about:blank", "title": "Unauthorized", "status": 401}, UNEXPLAINED),
    (
        "Intuit",
        400,
        {"fault": {"error": [{"code": "invalid_grant", "message": "No."}], "type": "AUTHENTICATION"}},
        GRANT,
    ),
    ("Intuit", 401, {"Fault": {"Error": [{"Message": "ThrottleExceeded", "code": "003001"}]}}, UNEXPLAINED),
    ("Salesforce", 400, said("invalid_grant", "expired access/refresh token"), GRANT),
    ("Salesforce", 400, said("invalid_grant", "token request is already being processed"), UNEXPLAINED),
    ("Salesforce", 400, said("invalid_client_id", "client identifier invalid"), APP),
    ("Shopify", 400, {"error": "application_cannot_be_found"}, APP),
    ("Strava", 400, {"message": "Bad Request", "errors": [{"field": "refresh_token", "code": "invalid"}]}, GRANT),
    ("Strava", 400, {"message": "Bad Request", "errors": [{"field": "client_id", "code": "invalid"}]}, UNEXPLAINED),
    ("Stripe", 400, said("invalid_grant", "Refresh token does not exist: rt_1"), GRANT),
    ("Twitch", 400, {"error": "Bad Request", "status": 400, "message": "Invalid refresh token"}, GRANT),
    ("Twitch", 403, {"error": "Forbidden", "status": 403, "message": "invalid client secret"}, UNEXPLAINED),
    ("WeChat", 200, {"errcode": 40030, "errmsg": "invalid refresh_token, hints: [ req_id: x ]"}, GRANT),
    ("WeChat", 200, {"errcode": 45011, "errmsg": "api minute-quota reach limit, retry next minute"}, LATER),
    ("Webex", 400, {"message": "The refresh token provided is expired or invalid", "errors": [{}]}, GRANT),
    ("Withings", 200, {"status": 503, "body": {}, "error": "Invalid Params: invalid refresh_token"}, GRANT),
    ("Withings", 200, {"status": 601, "body": {}, "error": "Too Many Requests"}, LATER),
    ("X", 400, said("invalid_request", "Value passed for the token was invalid."), GRANT),
    ("Zoho", 200, {"error": "invalid_code"}, GRANT),
    ("Zoho", 400, {"error": "Access Denied", "error_description": "You have made too many requests", "s": 1}, LATER),
    ("Zoho", 200, {"error": "invalid_client_secret"}, APP),
    ("Zoom", 400, {"reason": "Invalid Token!", "error": "invalid_request"}, GRANT),
    ("Zoom", 400, {"reason": "Invalid Grant Type", "error": "invalid_request"}, SETTINGS),
    ("Zoom", 401, {"reason": "Invalid client_id or client_secret", "error": "invalid_client"}, APP),
    ("others", 400, said("invalid_request", "Invalid or expired token"), GRANT),
    ("others", 400, said("invalid_request", "The token endpoint's URL is invalid"), SETTINGS),
    ("others", 400, said("invalid_request", "Invalid token request"), SETTINGS),
    ("others", 401, {"error": "refresh_token_expired"}, GRANT),
    ("others", 403, {"message": "This refresh token has already been used"}, GRANT),
    ("others", 403, {"message": "It is too early for a refresh"}, LATER),
    ("others", 400, said("invalid " * 50_000, "token " * 50_000), GRANT),
    ("others", 400, {"error": "InvalidGrantException"}, GRANT),
    ("others", 400, {"__type": "NotAuthorizedException", "message": "Refresh Token has been revoked"}, GRANT),
    ("others", 400, {"error": "urn:ietf:params:oauth:error:invalid_grant"}, GRANT),
    ("others", 400, said("invalid_request", "Missing parameter: refresh_token"), SETTINGS),
    ("others", 200, {"success": "false", "message": "Your refresh token has been used"}, GRANT),
    ("others", 200, {"status": "error", "message": "Refresh token not found"}, GRANT),
    ("others", 200, {"status": "failure"}, UNEXPLAINED),
    ("others", 400, {"error": {"errors": {"errors": {"errors": {"errors": {"code": "invalid_grant"}}}}}}, GRANT),
]


@pytest.mark.parametrize(
    ("status", "document", "expected"), [row[1:] for row in PROVIDERS], ids=[row[0] for row in PROVIDERS]
)
def test_what_providers_answer(status: int, document: Document, expected: Refusal) -> None:
    response = TokenResponse(status, document)
    assert (response.refused, meaning(response, SERVER_REFRESH)) == (True, expected)


class TestFigmasWords:
    """Figma has no codes, so its words tell the app from the grant."""

    MESSAGES = (
        ("Invalid refresh token", GRANT),
        ("Token was revoked for this client", GRANT),
        ("Invalid grant for this app", GRANT),
        ("Unauthorized", GRANT),
        ("", GRANT),
        ("It happened", GRANT),  # "app" inside another word
        ("Invalid refresh token. Please try again.", GRANT),
        ("Rate limit exceeded", LATER),
        ("This request is already being processed", LATER),
        ("Temporarily unavailable", LATER),
        ("Invalid client credentials", APP),
        ("Parameter client_id is required", APP),
        ("The secret is wrong", APP),
        ("This app was suspended", APP),
    )

    @pytest.mark.parametrize(("message", "expected"), MESSAGES)
    def test_decide_with_a_refusing_status(self, message: str, expected: Refusal) -> None:
        answers = [refused(status, error=True, message=message) for status in (200, *REFUSED)]
        assert {meaning(answer, FIGMA_REFRESH) for answer in answers} == {expected}
        elsewhere = expected if expected is LATER or "refresh token" in message else UNEXPLAINED
        assert {meaning(answer, SERVER_REFRESH) for answer in answers} == {elsewhere}
        assert meaning(TokenResponse(403, {"status": 403, "err": message or "x"}), FIGMA_REFRESH) is expected

    def test_do_not_overrule_a_code(self) -> None:
        said = {"error": "invalid_grant", "error_description": "Not a grant of this client"}
        for words in (said, {**said, "error_description": "Wrong client"}):
            assert meaning(TokenResponse(400, words), FIGMA_REFRESH) is GRANT

    def test_may_stand_in_the_standards_member(self) -> None:
        said = {"error": "canary", "error_description": "Wrong client"}
        assert meaning(TokenResponse(400, said), FIGMA_REFRESH) is APP


ERRORS: list[tuple[int, str, type[errors.RefreshTokenError], str]] = [
    (400, "canary", errors.ReauthorizationRequiredException, "(HTTP 400)"),
    (401, "invalid_client", errors.ConfigurationException, "`tokenctl app-credentials"),
    (401, "invalid_client", errors.ConfigurationException, "oauth2_client_auth: some servers take `post`"),
    (400, "invalid_scope", errors.ConfigurationException, "`invalid_scope`"),
    (503, "canary", errors.IssuerUnavailableException, "could not be used (HTTP 503)"),
    (400, "slow_down", errors.IssuerUnavailableException, "cannot refresh now (HTTP 400)"),
    (400, "access_denied", errors.IssuerUnavailableException, "refused without a reason (HTTP 400)"),
    (404, "canary", errors.IssuerProtocolException, "oauth2_token_url"),
]


@pytest.mark.parametrize(("status", "code", "expected", "said"), ERRORS)
def test_each_meaning_has_its_error(
    status: int, code: str, expected: type[errors.RefreshTokenError], said: str
) -> None:
    error = refusal_error(refused(status, code, "canary"), SERVER_REFRESH)
    assert type(error) is expected
    assert said in str(error)
    assert_clean(error)
    assert getattr(error, "unexplained", False) is ("without a reason" in said)


@pytest.mark.parametrize(
    ("status", "document", "expected"),
    [
        (200, {"access_token": "A"}, False),
        (201, {"access_token": "A", "error": "x"}, False),
        (200, {}, False),
        (200, {"error": "x"}, True),
        (200, {"error": True}, True),
        (200, {"error": None}, False),
        (200, {"error": "", "access_token": 7}, False),
        (200, {"error": "x", "access_token": ""}, True),
        (200, {"errors": ["x"]}, True),
        (200, {"errcode": 0, "status": "ok", "type": "token"}, False),
        (200, {"errors": [], "error": {}, "status": "done"}, False),
        (200, {"ok": True}, False),
        (200, {"success": False}, True),
        (200, {"ok": False, "access_token": "A"}, False),
        *((status, {"access_token": "A", "error": "x"}, False) for status in (101, 302, 400, 503)),
        *((status, {"access_token": ""}, True) for status in (101, 302, 400, 503)),
    ],
)
def test_what_counts_as_a_refusal(status: int, document: dict[str, object], *, expected: bool) -> None:
    assert TokenResponse(status, document).refused is expected

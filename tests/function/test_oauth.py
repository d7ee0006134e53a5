"""What function, tokenctl and construct share about OAuth 2 and is not seen by a request of the function."""

from base64 import b64decode

import pytest

from refresh_token.oauth.app_credentials import AppCredentials
from refresh_token.oauth.issuers import FigmaSettings, IssuerSettings, OAuth2Settings
from refresh_token.oauth.refusals import CODE_EXCHANGE, Refusal, meaning
from refresh_token.oauth.requests import TokenRequest, code_request
from refresh_token.oauth.responses import TokenResponse
from refresh_token.oauth.variables import VariableReader

TOKEN_URL = "https://issuer.example/token"
HTTP = "http://127.0.0.1:9999"
FIGMA = {"ISSUER": "figma", "FIGMA_BASE_URL": "https://api.figma.com"}
SERVER = {
    "ISSUER": "oauth2",
    "OAUTH2_TOKEN_URL": TOKEN_URL,
    "OAUTH2_CLIENT_AUTH": "basic",
    "OAUTH2_DEFAULT_LIFETIME": "3600",
}
SETTINGS: list[tuple[IssuerSettings, dict[str, str]]] = [
    (FigmaSettings(), FIGMA),
    (FigmaSettings(base_url=HTTP), {**FIGMA, "FIGMA_BASE_URL": HTTP, "ALLOW_HTTP_ISSUER": "true"}),
    (OAuth2Settings(token_url=TOKEN_URL), SERVER),
    (OAuth2Settings(token_url=HTTP), {**SERVER, "OAUTH2_TOKEN_URL": HTTP, "ALLOW_HTTP_ISSUER": "true"}),
    (
        OAuth2Settings(
            token_url=TOKEN_URL,
            client_auth="post",
            scope="a b",
            default_lifetime=60,
            extra_parameters={"b": "ö", "a": ""},
        ),
        {
            **SERVER,
            "OAUTH2_CLIENT_AUTH": "post",
            "OAUTH2_SCOPE": "a b",
            "OAUTH2_DEFAULT_LIFETIME": "60",
            "OAUTH2_EXTRA_PARAMETERS": '{"a": "", "b": "\\u00f6"}',
        },
    ),
]


@pytest.mark.parametrize(("settings", "variables"), SETTINGS, ids=[str(one) for one, _ in SETTINGS])
def test_settings_survive_the_environment(settings: IssuerSettings, variables: dict[str, str]) -> None:
    assert settings.to_variables() == variables
    reader = VariableReader(variables)
    assert type(settings).from_variables(reader) == settings
    reader.check()


class TestCodeExchange:
    """The sign-in's request and its refusals."""

    APP = AppCredentials("canary:id", "canary secret")

    def request(self, settings: IssuerSettings, app: AppCredentials = APP) -> TokenRequest:
        return code_request(settings.profile, app, code="C", redirect_uri="R", verifier="V")

    def test_a_server_gets_extra_parameters_and_no_scope(self) -> None:
        settings = OAuth2Settings(token_url=TOKEN_URL, scope="read", extra_parameters={"audience": "x", "code": "y"})
        request = self.request(settings)
        assert request.form == {
            "audience": "x",
            "grant_type": "authorization_code",
            "code": "C",
            "redirect_uri": "R",
            "code_verifier": "V",
        }
        assert b64decode(request.headers["Authorization"].removeprefix("Basic ")) == b"canary%3Aid:canary%20secret"
        assert "canary" not in repr(request)

    def test_figma_gets_credentials_unescaped(self) -> None:
        request = self.request(FigmaSettings(), AppCredentials("id", "a:b c"))
        assert b64decode(request.headers["Authorization"].removeprefix("Basic ")) == b"id:a:b c"
        with pytest.raises(ValueError, match="colon"):
            self.request(FigmaSettings())

    @pytest.mark.parametrize(
        ("status", "code", "expected"),
        [
            (400, "invalid_grant", Refusal.GRANT),
            (401, "invalid_grant", Refusal.GRANT),
            (400, "canary", Refusal.GRANT),
            (200, "canary", Refusal.GRANT),
            (404, "", Refusal.GRANT),
            (401, "", Refusal.APP),
            (401, "canary", Refusal.APP),
            (400, "invalid_client", Refusal.APP),
            (400, "unauthorized_client", Refusal.APP),
            (400, "invalid_request", Refusal.SETTINGS),
            (401, "invalid_scope", Refusal.SETTINGS),
            (400, "server_error", Refusal.GRANT),
            (429, "invalid_grant", Refusal.LATER),
            (503, "", Refusal.LATER),
            (302, "invalid_grant", Refusal.NONSENSE),
        ],
    )
    def test_refusal_means(self, status: int, code: str, expected: Refusal) -> None:
        assert meaning(TokenResponse(status, {"error": code} if code else {}), CODE_EXCHANGE) is expected

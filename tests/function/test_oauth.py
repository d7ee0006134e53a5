"""The pure OAuth 2 parts: issuers' settings and their variables, requests, JSON, credentials and issued tokens."""

import json
from base64 import b64decode
from typing import Any

import pytest

from refresh_token.errors import ConfigurationException, IssuerProtocolException
from refresh_token.oauth.app_credentials import AppCredentials, parse_app_credentials
from refresh_token.oauth.issued import issued_token
from refresh_token.oauth.issuers import DEFAULT_LIFETIME, FigmaSettings, IssuerSettings, OAuth2Settings
from refresh_token.oauth.profiles import Profile
from refresh_token.oauth.requests import TokenRequest, code_request, refresh_request
from refresh_token.oauth.responses import TokenResponse
from refresh_token.oauth.strict_json import json_object
from refresh_token.oauth.variables import VariableReader
from tests.support.canaries import assert_clean

TOKEN_URL = "https://issuer.example/token"
HTTP = "http://127.0.0.1:9999"
APP = AppCredentials("canary:i d", "canary%&+/ö~")


def settings_from(settings: type[IssuerSettings], **variables: str) -> IssuerSettings:
    needed = {"OAUTH2_TOKEN_URL": TOKEN_URL} if settings is OAuth2Settings else {}
    reader = VariableReader({**needed, **variables})
    found = settings.from_variables(reader)
    reader.check()
    return found


def faults(settings: type[IssuerSettings], **variables: str) -> str:
    with pytest.raises(ConfigurationException) as caught:
        settings_from(settings, **variables)
    assert_clean(caught.value)
    return str(caught.value)


FIGMA = {"ISSUER": "figma", "FIGMA_BASE_URL": "https://api.figma.com"}
SERVER = {"ISSUER": "oauth2", "OAUTH2_CLIENT_AUTH": "basic", "OAUTH2_DEFAULT_LIFETIME": "3600"}
OTHERS: dict[str, Any] = {"client_auth": "post", "scope": "a b", "default_lifetime": 60}
SETTINGS: list[tuple[IssuerSettings, dict[str, str]]] = [
    (FigmaSettings(), FIGMA),
    (FigmaSettings(base_url=HTTP), {**FIGMA, "FIGMA_BASE_URL": HTTP, "ALLOW_HTTP_ISSUER": "true"}),
    (OAuth2Settings(token_url=TOKEN_URL), {**SERVER, "OAUTH2_TOKEN_URL": TOKEN_URL}),
    (
        OAuth2Settings(token_url=HTTP, **OTHERS, extra_parameters={"b": "ö", "a": ""}),
        {
            "ISSUER": "oauth2",
            "OAUTH2_TOKEN_URL": HTTP,
            "OAUTH2_CLIENT_AUTH": "post",
            "OAUTH2_SCOPE": "a b",
            "OAUTH2_DEFAULT_LIFETIME": "60",
            "OAUTH2_EXTRA_PARAMETERS": '{"a": "", "b": "\\u00f6"}',
            "ALLOW_HTTP_ISSUER": "true",
        },
    ),
]


class TestSettings:
    """Settings go into the environment and come out of it again."""

    @pytest.mark.parametrize(("settings", "variables"), SETTINGS, ids=[str(one) for one, _ in SETTINGS])
    def test_survive_the_environment(self, settings: IssuerSettings, variables: dict[str, str]) -> None:
        assert settings.to_variables() == variables
        assert settings_from(type(settings), **variables) == settings

    def test_have_defaults(self) -> None:
        assert settings_from(FigmaSettings) == FigmaSettings()
        assert settings_from(OAuth2Settings) == OAuth2Settings(token_url=TOKEN_URL)


class TestVariables:
    """A variable that breaks its rule is named, without its value."""

    def test_all_faults_are_named_at_once(self) -> None:
        variables = (*("ALLOW_HTTP_ISSUER", "OAUTH2_TOKEN_URL", "OAUTH2_CLIENT_AUTH"), "OAUTH2_DEFAULT_LIFETIME")
        message = faults(OAuth2Settings, **dict.fromkeys((*variables, "OAUTH2_EXTRA_PARAMETERS"), "canary"))
        assert [name for name in variables if f"{name} must" not in message] == []
        assert "OAUTH2_EXTRA_PARAMETERS must be" in message
        assert "Deploy the stack again" in message
        assert "OAUTH2_TOKEN_URL must be set" in faults(OAuth2Settings, OAUTH2_TOKEN_URL="")

    WRONG_URLS = (
        *("canary", "canary.example", "ftp://canary", "https://", "https:///canary", "https://canary:0"),
        *("https://canary:x", "https://user@canary", "https://user:canary@host", "https://host/#canary"),
        *("https://ho st", "https://hö.example", "https://host/\n", "https://[canary", 'https://host/"'),
        *("HTTP://canary", HTTP),
    )

    @pytest.mark.parametrize("url", WRONG_URLS)
    def test_an_address_is_plain_and_https(self, url: str) -> None:
        rule = "must be an address with https, without"
        assert f"FIGMA_BASE_URL {rule} user, query or fragment" in faults(FigmaSettings, FIGMA_BASE_URL=url)
        assert f"OAUTH2_TOKEN_URL {rule} user or fragment" in faults(OAuth2Settings, OAUTH2_TOKEN_URL=url)

    def test_http_is_refused_unless_allowed(self) -> None:
        assert settings_from(FigmaSettings, FIGMA_BASE_URL=HTTP, ALLOW_HTTP_ISSUER="true").address == HTTP
        assert "https" in faults(FigmaSettings, FIGMA_BASE_URL=HTTP, ALLOW_HTTP_ISSUER="false")

    def test_only_a_token_endpoint_has_a_query(self) -> None:
        url = "https://host/token?tenant=1"
        assert settings_from(OAuth2Settings, OAUTH2_TOKEN_URL=url).address == url
        assert "FIGMA_BASE_URL" in faults(FigmaSettings, FIGMA_BASE_URL=url)

    EXTRA = (
        ("[]", "must be a JSON object of strings"),
        ('{"a": 1}', "must be a JSON object of strings"),
        ('{"a": ["canary"]}', "must be a JSON object of strings"),
        (r'{"canary": "\ud800"}', "must be a JSON object of strings"),
        ("[" * 10_000, "must be a JSON object of strings"),
        ('{"scope": "x", "client_id": "y", "a": "b"}', "must not have client_id, scope"),
        ('{"grant_type": "x"}', "must not have grant_type"),
    )

    @pytest.mark.parametrize(("text", "rule"), EXTRA)
    def test_extra_parameters_are_strings_of_their_own(self, text: str, rule: str) -> None:
        found = faults(OAuth2Settings, OAUTH2_EXTRA_PARAMETERS=text)
        assert f"OAUTH2_EXTRA_PARAMETERS {rule}" in found

    @pytest.mark.parametrize("text", ["0", "-1", "1.5", "one", "1000000000", "٣", "9" * 5000])
    def test_a_lifetime_is_a_positive_whole_number(self, text: str) -> None:
        assert "OAUTH2_DEFAULT_LIFETIME must be" in faults(OAuth2Settings, OAUTH2_DEFAULT_LIFETIME=text)


def profile(**settings: Any) -> Profile:
    return OAuth2Settings(token_url=TOKEN_URL, **settings).profile


def basic(request: TokenRequest) -> bytes:
    return b64decode(request.headers["Authorization"].removeprefix("Basic "))


REFRESH = {"grant_type": "refresh_token", "refresh_token": "T"}
CODE = {"grant_type": "authorization_code", "code": "C", "redirect_uri": "R", "code_verifier": "V"}


class TestRequests:
    """Who sends what to a token endpoint."""

    def code(self, of: Profile, app: AppCredentials = APP) -> TokenRequest:
        return code_request(of, app, code="C", redirect_uri="R", verifier="V")

    def test_a_server_gets_encoded_credentials(self) -> None:
        for request in (refresh_request(profile(), APP, "T"), self.code(profile())):
            assert basic(request) == b"canary%3Ai%20d:canary%25%26%2B%2F%C3%B6~"
            assert "canary" not in repr(request)

    def test_a_server_may_take_them_in_the_form(self) -> None:
        of = profile(client_auth="post")
        credentials = {"client_id": APP.client_id, "client_secret": APP.client_secret}
        assert refresh_request(of, APP, "T") == TokenRequest({**REFRESH, **credentials}, {})
        assert self.code(of) == TokenRequest({**CODE, **credentials}, {})

    def test_a_server_gets_scope_and_extra_parameters(self) -> None:
        more = {"audience": "https://api.example/", "empty": ""}
        of = profile(scope="read write", extra_parameters={**more, "code": "X"})
        assert refresh_request(of, APP, "T").form == {**REFRESH, **more, "code": "X", "scope": "read write"}
        assert self.code(of).form == {**CODE, **more}

    def test_figma_gets_credentials_as_they_are(self) -> None:
        app = AppCredentials("i d%&", "se:cr+et/ö")
        figma = FigmaSettings().profile
        assert refresh_request(figma, app, "T").form == {"refresh_token": "T"}
        assert self.code(figma, app).form == CODE
        assert {basic(refresh_request(figma, app, "T")), basic(self.code(figma, app))} == {"i d%&:se:cr+et/ö".encode()}

    def test_figma_could_not_find_the_colon(self) -> None:
        with pytest.raises(ValueError, match="colon") as caught:
            refresh_request(FigmaSettings().profile, APP, "T")
        assert "canary" not in str(caught.value)


PAIR = {"clientId": APP.client_id, "clientSecret": APP.client_secret}
NO_CREDENTIALS: dict[str, object] = {
    "no text": None,
    "bytes": json.dumps(PAIR).encode(),
    "no JSON": "canary",
    "a list": '["canary"]',
    "nested without end": "[" * 10_000,
    "no id": json.dumps({"clientSecret": "canary"}),
    "no secret": json.dumps({"clientId": "canary"}),
    "a blank id": json.dumps({**PAIR, "clientId": " "}),
    "a number": json.dumps({**PAIR, "clientSecret": 7}),
    "a line break at the end": json.dumps({**PAIR, "clientSecret": "canary\n"}),
    "half a character": json.dumps({**PAIR, "clientSecret": "canary\ud800"}),
}


class TestAppCredentials:
    """What a secret, or a file, must hold."""

    def test_are_read_and_not_shown(self) -> None:
        assert parse_app_credentials(json.dumps({**PAIR, "note": "something else"})) == APP
        assert repr(APP) == "AppCredentials()"

    @pytest.mark.parametrize("text", NO_CREDENTIALS.values(), ids=NO_CREDENTIALS)
    def test_are_refused_without_their_values(self, text: object) -> None:
        with pytest.raises(ValueError, match=r"`clientId`|`clientSecret`") as caught:
            parse_app_credentials(text)
        assert_clean(caught.value)


NO_OBJECTS: dict[str, bytes | None] = {
    "none": None,
    "nothing": b"",
    "HTML": b"<h1>No</h1>",
    "half a document": b'{"a": 1',
    "text after it": b'{"a": 1} x',
    "a list": b'["a"]',
    "text": b'"a"',
    "null": b"null",
    "a name twice": b'{"a": 1, "b": 2, "a": 1}',
    "a name twice, deep inside": b'{"a": [{"b": 1, "b": 1}]}',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": -Infinity}',
    "a number of 5000 digits": b'{"a": ' + b"9" * 5000 + b"}",
    "nested without end": b"[" * 60_000,
    "bytes that are no text": b'{"a": "\xff"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"a": 1}',
}


class TestStrictJson:
    """A body counts only if every reader would read the same object."""

    @pytest.mark.parametrize("body", NO_OBJECTS.values(), ids=NO_OBJECTS)
    def test_anything_else_is_no_object(self, body: bytes | None) -> None:
        assert json_object(body) is None

    def test_an_object_is_read(self) -> None:
        assert json_object('{"a": {"a": ["ö", 1]}}'.encode()) == {"a": {"a": ["ö", 1]}}


ANSWER = {"access_token": "A", "expires_in": 60}


class TestIssuedToken:
    """How the token is read out of an answer."""

    def issued(self, of: Profile, **members: object) -> tuple[str, int, str | None]:
        token = issued_token(TokenResponse(200, {**ANSWER, **members}), of)
        return token.access_token, token.expires_in, token.refresh_token

    def test_a_new_refresh_token_comes_along(self) -> None:
        expected = ("A", 60, "R")
        assert self.issued(profile(), refresh_token="R", token_type="BEARER", scope="read") == expected
        assert self.issued(FigmaSettings().profile, refresh_token="R", user_id_string="7") == expected

    def test_the_settings_guess_an_unknown_lifetime(self) -> None:
        assert self.issued(profile(), expires_in=None) == ("A", DEFAULT_LIFETIME, None)
        assert self.issued(profile(default_lifetime=600), expires_in=None) == ("A", 600, None)
        with pytest.raises(IssuerProtocolException):
            self.issued(FigmaSettings().profile, expires_in=None)

    @pytest.mark.parametrize("kind", ["mac", "DPoP", "", 7, ["bearer"]])
    def test_a_server_must_issue_bearer_tokens(self, kind: object) -> None:
        with pytest.raises(IssuerProtocolException, match="not a bearer token"):
            self.issued(profile(), token_type=kind)
        assert self.issued(FigmaSettings().profile, token_type=kind) == ("A", 60, None)

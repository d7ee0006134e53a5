"""The pure OAuth 2 parts: issuers' settings and their variables, requests, JSON, credentials and issued tokens."""

import gzip
import json
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest

from refresh_token.core.grant import Grant
from refresh_token.core.issued_token import IssuedToken
from refresh_token.errors import ConfigurationException
from refresh_token.oauth.answer_members import REFRESH_LIFETIMES
from refresh_token.oauth.app_credentials import AppCredentials, parse_app_credentials
from refresh_token.oauth.body import json_object
from refresh_token.oauth.bound_profile import BoundProfile
from refresh_token.oauth.content_coding import decoded
from refresh_token.oauth.issued import issued_token
from refresh_token.oauth.issuer_settings import OwnAppSettings
from refresh_token.oauth.issuers import FigmaSettings, OAuth2Settings
from refresh_token.oauth.requests import Occasion, TokenRequest, code_request, refresh_request
from refresh_token.oauth.responses import TokenResponse
from refresh_token.oauth.variables import VariableReader
from tests.support.canaries import assert_clean
from tests.support.token_server import basic

TOKEN_URL = "https://issuer.example/token"
HTTP = "http://127.0.0.1:9999"
APP = AppCredentials("canary:i d", "canary%&+/ö~")
NOW = Occasion(datetime(2026, 11, 26, 12, tzinfo=UTC), "random")


def settings_from(settings: type[OwnAppSettings], **variables: str) -> OwnAppSettings:
    needed = {"OAUTH2_TOKEN_URL": TOKEN_URL} if settings is OAuth2Settings else {}
    reader = VariableReader({**needed, **variables})
    found = settings.from_variables(reader)
    reader.check()
    return found


def faults(settings: type[OwnAppSettings], **variables: str) -> str:
    with pytest.raises(ConfigurationException) as caught:
        settings_from(settings, **variables)
    assert_clean(caught.value)
    return str(caught.value)


FIGMA = {"ISSUER": "figma", "FIGMA_BASE_URL": "https://api.figma.com"}
SERVER = {"ISSUER": "oauth2", "OAUTH2_CLIENT_AUTH": "basic", "OAUTH2_DEFAULT_LIFETIME": "3600"}
OTHERS: dict[str, Any] = {"client_auth": "post", "scope": "a b", "default_lifetime_seconds": 60}
SETTINGS: list[tuple[OwnAppSettings, dict[str, str]]] = [
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
    @pytest.mark.parametrize(("settings", "variables"), SETTINGS, ids=[str(one) for one, _ in SETTINGS])
    def test_survive_the_environment(self, settings: OwnAppSettings, variables: dict[str, str]) -> None:
        assert settings.to_variables() == variables
        assert settings_from(type(settings), **variables) == settings

    def test_have_defaults(self) -> None:
        assert settings_from(FigmaSettings) == FigmaSettings()
        assert settings_from(OAuth2Settings) == OAuth2Settings(token_url=TOKEN_URL)


class TestVariables:
    def test_all_faults_are_named_at_once(self) -> None:
        variables = (*("ALLOW_HTTP_ISSUER", "OAUTH2_TOKEN_URL", "OAUTH2_CLIENT_AUTH"), "OAUTH2_DEFAULT_LIFETIME")
        message = faults(OAuth2Settings, **dict.fromkeys((*variables, "OAUTH2_EXTRA_PARAMETERS"), "canary"))
        assert [name for name in variables if f"{name} must" not in message] == []
        assert "OAUTH2_EXTRA_PARAMETERS must be" in message
        assert "Run tokenctl doctor" in message
        assert "OAUTH2_TOKEN_URL must be set" in faults(OAuth2Settings, OAUTH2_TOKEN_URL="")

    WRONG_URLS = (
        *("canary", "canary.example", "ftp://canary", "https://", "https:///canary", "https://canary:0"),
        *("https://canary:x", "https://user@canary", "https://user:canary@host", "https://host/#canary"),
        *("https://ho st", "https://hö.example", "https://host/\n", "https://[canary", 'https://host/"'),
        *("HTTP://canary", HTTP, "https://[fe80::1%25canary]/"),
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
        *("[]", '{"a": 1}', '{"a": ["canary"]}', r'{"canary": "\ud800"}', "[" * 10_000),
        *('{"scope": "x", "client_id": "y", "a": "b"}', '{"grant_type": "x"}'),
    )

    @pytest.mark.parametrize("text", EXTRA)
    def test_extra_parameters_are_strings_of_their_own(self, text: str) -> None:
        found = faults(OAuth2Settings, OAUTH2_EXTRA_PARAMETERS=text)
        assert "OAUTH2_EXTRA_PARAMETERS must be a JSON object of strings, without grant_type, refresh_token," in found

    @pytest.mark.parametrize("text", ["0", "-1", "1.5", "one", "1000000000", "٣", "9" * 5000])
    def test_a_lifetime_is_a_positive_whole_number(self, text: str) -> None:
        assert "OAUTH2_DEFAULT_LIFETIME must be" in faults(OAuth2Settings, OAUTH2_DEFAULT_LIFETIME=text)


def profile(**settings: Any) -> BoundProfile:
    return OAuth2Settings(token_url=TOKEN_URL, **settings).profile


REFRESH = {"grant_type": "refresh_token", "refresh_token": "T"}
CODE = {"grant_type": "authorization_code", "code": "C", "redirect_uri": "R", "code_verifier": "V"}


class TestRequests:
    def refresh(self, of: BoundProfile, app: AppCredentials = APP) -> TokenRequest:
        return refresh_request(of, app, Grant("T"), NOW)

    def code(self, of: BoundProfile, app: AppCredentials = APP) -> TokenRequest:
        return code_request(of, app, code="C", redirect_uri="R", verifier="V", occasion=NOW)

    def test_a_server_gets_encoded_credentials(self) -> None:
        for request in (self.refresh(profile(), APP), self.code(profile())):
            assert basic(request.headers) == "canary%3Ai%20d:canary%25%26%2B%2F%C3%B6~"
            assert "canary" not in repr(request)

    def test_a_server_may_take_them_in_the_form(self) -> None:
        of = profile(client_auth="post")
        credentials = {"client_id": APP.client_id, "client_secret": APP.client_secret}
        assert self.refresh(of, APP) == TokenRequest(TOKEN_URL, {**REFRESH, **credentials}, {})
        assert self.code(of) == TokenRequest(TOKEN_URL, {**CODE, **credentials}, {})

    def test_a_server_gets_scope_and_extra_parameters(self) -> None:
        more = {"audience": "https://api.example/", "empty": ""}
        of = profile(scope="read write", extra_parameters={**more, "code": "X"})
        assert self.refresh(of, APP).parameters == {**REFRESH, **more, "code": "X", "scope": "read write"}
        assert self.code(of).parameters == {**CODE, **more}

    def test_figma_gets_credentials_as_they_are(self) -> None:
        app = AppCredentials("i d%&", "se:cr+et/ö")
        figma = FigmaSettings().profile
        assert self.refresh(figma, app).parameters == {"refresh_token": "T"}
        assert self.code(figma, app).parameters == CODE
        assert {basic(sent.headers) for sent in (self.refresh(figma, app), self.code(figma, app))} == {
            "i d%&:se:cr+et/ö"
        }

    def test_figma_could_not_find_the_colon(self) -> None:
        with pytest.raises(ValueError, match="colon") as caught:
            self.refresh(FigmaSettings().profile, APP)
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
    def test_are_read_and_not_shown(self) -> None:
        assert parse_app_credentials(json.dumps({**PAIR, "note": "something else"})) == APP
        assert "canary" not in repr(APP)

    def test_a_profile_needs_other_keys(self) -> None:
        text = json.dumps({"clientId": "canary-id", "apiKey": "canary-key", "note": "something else"})
        found = parse_app_credentials(text, needs=("clientId", "apiKey"))
        assert found == AppCredentials("canary-id", keys={"apiKey": "canary-key"})
        assert "canary" not in repr(found)
        with pytest.raises(ValueError, match="`otherKey`"):
            parse_app_credentials(text, needs=("otherKey",))

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
    "text before it": b'Warning: {"a": 1}',
    "a list": b'["a"]',
    "text": b'"a"',
    "null": b"null",
    "nested without end": b"[" * 60_000,
    "half of UTF-16": b"\xff\xfe{",
}


class TestJsonBody:
    @pytest.mark.parametrize("body", NO_OBJECTS.values(), ids=NO_OBJECTS)
    def test_anything_else_is_no_object(self, body: bytes | None) -> None:
        assert json_object(body) is None


TEXT = b"a token, and what else there is" * 100


class TestContentCoding:
    def test_codings_may_follow_each_other(self) -> None:
        body = gzip.compress(zlib.compress(TEXT))
        assert decoded(body, "Deflate, gzip,identity", max_bytes=len(TEXT)) == TEXT

    @pytest.mark.parametrize("coding", ["br", "zstd", "gzip, br", "gzip", "deflate", ","])
    def test_what_is_not_compressed_stays(self, coding: str) -> None:
        assert decoded(TEXT, coding, max_bytes=10_000) == TEXT

    @pytest.mark.parametrize(("body", "coding"), [(TEXT, None), (gzip.compress(TEXT), "gzip")], ids=["plain", "gzip"])
    def test_a_long_body_is_unreadable(self, body: bytes, coding: str | None) -> None:
        assert decoded(body, coding, max_bytes=len(TEXT)) == TEXT
        assert decoded(body, coding, max_bytes=len(TEXT) - 1) is None

    ODD = (
        (gzip.compress(TEXT)[:-8], "gzip"),
        (gzip.compress(TEXT)[:-8] + b"checksum", "gzip"),
        (gzip.compress(TEXT) + b"\0" * 9, "gzip"),
        (gzip.compress(TEXT[:9]) + gzip.compress(TEXT[9:]), "gzip"),
        (gzip.compress(TEXT), None),
        (gzip.compress(gzip.compress(TEXT)), "gzip"),
    )

    @pytest.mark.parametrize(
        ("body", "coding"),
        ODD,
        ids=["no end", "a wrong end", "more at the end", "two members", "no header", "twice, said once"],
    )
    def test_odd_ones_are_read(self, body: bytes, coding: str | None) -> None:
        assert decoded(body, coding, max_bytes=len(TEXT)) == TEXT


ANSWER = {"access_token": "A", "expires_in": 60}


class TestIssuedToken:
    def issued(self, of: BoundProfile, **members: object) -> IssuedToken:
        token = issued_token(TokenResponse(200, {**ANSWER, **members}), of, APP)
        assert isinstance(token, IssuedToken)
        return token

    def test_a_new_refresh_token_comes_along(self) -> None:
        for of in (profile(), FigmaSettings().profile):
            token = self.issued(of, refresh_token="R", token_type="BEARER", scope="read", user_id_string="7")
            assert (token.access_token, token.expires_in, token.refresh_token, token.odd) == ("A", 60, "R", ())

    def test_the_profile_guesses_an_unknown_lifetime(self) -> None:
        lifetimes = [
            (profile(), 3600),
            (profile(default_lifetime_seconds=600), 600),
            (FigmaSettings().profile, 7_776_000),
        ]
        assert [self.issued(of).default_lifetime for of, _ in lifetimes] == [lifetime for _, lifetime in lifetimes]

    @pytest.mark.parametrize("kind", ["mac", "DPoP", "bot", "BearerToken", "", None, 7, ["bearer"]])
    def test_another_token_type_is_noted(self, kind: object) -> None:
        assert self.issued(profile(), token_type=kind).odd == ("token_type",)

    @pytest.mark.parametrize("name", REFRESH_LIFETIMES)
    def test_the_refresh_tokens_lifetime_is_read(self, name: str) -> None:
        members = {**dict.fromkeys(REFRESH_LIFETIMES), name: "86400"}
        assert self.issued(profile(), **members).refresh_expires_in == 86_400

    @pytest.mark.parametrize(("sent", "number"), [({}, 2), ({"expires_on": None}, 3), ({"expires_in": 0}, 0)])
    def test_the_expiry_may_have_another_name(self, sent: dict[str, object], number: int) -> None:
        members = {"expires_in": None, "expires_on": "2", "expires_at": 3, **sent}
        assert self.issued(profile(), **members).expires_in == number

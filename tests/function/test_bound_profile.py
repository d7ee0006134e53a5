"""A profile with a deployment's parameters: addresses, requests, and what an answer holds."""

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

import pytest

from refresh_token.core.grant import Grant
from refresh_token.core.issued_token import IssuedToken
from refresh_token.oauth.answer_members import in_standard_form
from refresh_token.oauth.app_credentials import AppCredentials
from refresh_token.oauth.binding import bind, faults_of_params
from refresh_token.oauth.bound_profile import BoundProfile, UnboundError
from refresh_token.oauth.issued import issued_token
from refresh_token.oauth.other_requests import (
    device_request,
    device_token_request,
    introspect_request,
    register_request,
    revoke_request,
)
from refresh_token.oauth.profile_file import parse_profile
from refresh_token.oauth.refusal_codes import Refusal
from refresh_token.oauth.refusals import meaning
from refresh_token.oauth.requests import (
    Occasion,
    TokenRequest,
    code_request,
    exchange_request,
    refresh_request,
    step_request,
)
from refresh_token.oauth.responses import TokenResponse
from tests.support.canaries import assert_clean

APP = AppCredentials("canary id", "canary&secret", keys={"apiKey": 'canary"key'})
NOW = Occasion(datetime(2026, 11, 26, 12, tzinfo=UTC), "RANDOM", "SIGNED")
GRANT = Grant("canary-refresh", "canary-access")


def profile(text: str = "", grant: str = "refresh_token", at: str = "https://acme.example/token") -> BoundProfile:
    head = f'name = "acme"\ntitle = "Acme"\ngrant = "{grant}"\naddress.token = "{at}"\n'
    return BoundProfile(profile=parse_profile(head + text))


def refreshed(text: str = "", grant: str = "refresh_token", app: AppCredentials = APP) -> TokenRequest:
    request = refresh_request(profile(text, grant), app, GRANT, NOW)
    assert "canary" not in repr(request)
    return request


HOSTILE = (
    *(
        "",
        ".",
        "..",
        "a.b",
        "a/b",
        "a@b",
        "a:b",
        "a:1",
        "a\\b",
        "a?b",
        "a#b",
        "a b",
        "%2e",
        "a%2fb",
        "a\r\nb",
        "a\n",
        "ä",
    ),
    *(
        "[::1]",
        "@evil.example",
        "evil.example/",
        "evil.example#",
        "a" * 64,
        "a" * 300,
        "{x}",
        "\u0430",
        "。",
        "a\u3002b",
        "-a",
    ),
)
"""Values that must not stand in a host. The last but three are a Cyrillic letter and full stops of other scripts."""


class TestParameters:
    """No value leads to another host than the profile allows."""

    LABEL = "[params.x]\n"
    WIDE = "[params.x]\npattern = '(?s).*'\n"
    ZONE = "[params.x]\npattern = '(?s).*'\nhosts = ['*.acme.example', 'login.other.example:8443']\n"

    def fault(self, params: str, address: str, **given: str) -> list[str]:
        found = list(faults_of_params(profile(params, at=address).profile, given))
        assert "evil" not in "".join(found)
        assert all("value" in line for line in found if line.startswith("address"))
        return found

    @pytest.mark.parametrize("value", HOSTILE)
    def test_a_label_is_one_label(self, value: str) -> None:
        assert self.fault(self.LABEL, "https://{x}.acme.example/token", x=value)[0].startswith("x must match")
        assert self.fault(self.LABEL, "https://acme.example/{x}", x=value)[0].startswith("x must match")

    @pytest.mark.parametrize("value", [value for value in HOSTILE if value not in ("a.b", "-a")])
    def test_a_wide_pattern_does_not_help(self, value: str) -> None:
        found = self.fault(self.WIDE, "https://{x}.acme.example/token", x=value)
        assert found
        assert found[0].startswith("address.token: ")

    @pytest.mark.parametrize("address", ["https://{x}/token", "{x}/token"])
    @pytest.mark.parametrize(
        "value",
        [
            *HOSTILE,
            *("acme.example", "evil.example", "acme.example.evil.example", "evilacme.example", ".acme.example"),
            "login.other.example",
            *(
                "a.acme.example:8443",
                "a.acme.example@evil.example",
                "evil.example/a.acme.example",
                "a.acme.example.",
                "127.0.0.1",
            ),
            *(
                "evil.example?.acme.example",
                "evil.example#.acme.example",
                "evil.example\\.acme.example",
                "%61.acme.example",
            ),
        ],
    )
    def test_a_host_is_one_of_those_allowed(self, value: str, address: str) -> None:
        given = f"https://{value}" if address.startswith("{") else value
        found = self.fault(self.ZONE, address, x=given)
        assert found
        assert found[0].startswith("address.token: ")

    GOOD = (
        ("https://{x}/token", "a.acme.example", "https://a.acme.example/token"),
        ("https://{x}/token", "a.b.acme.example", "https://a.b.acme.example/token"),
        ("https://{x}/token", "a.acme.example:443", "https://a.acme.example:443/token"),
        ("https://{x}/token", "login.other.example:8443", "https://login.other.example:8443/token"),
        ("{x}/token", "https://a.acme.example", "https://a.acme.example/token"),
        ("{x}/token", "https://a.acme.example/X/", "https://a.acme.example/X/token"),
        ("https://{x}/token", "X.acme.example", "https://X.acme.example/token"),
        ("https://acme.example/{x}?q={x}", "a/../b?c=d&e#ä", None),
        ("https://{x}.acme.example/", "a.b", "https://a.b.acme.example/"),
        ("https://{x}-eu.acme.example/", "a", "https://a-eu.acme.example/"),
    )

    @pytest.mark.parametrize(("address", "value", "expected"), GOOD)
    def test_what_is_allowed_is_put_in(self, address: str, value: str, expected: str | None) -> None:
        params = self.WIDE if "acme" in address else self.ZONE
        encoded = "a%2F..%2Fb%3Fc%3Dd%26e%23%C3%A4"
        bound = bind(profile(params, at=address).profile, {"x": value})
        assert bound.code_url == (expected or f"https://acme.example/{encoded}?q={encoded}")

    @pytest.mark.parametrize(
        "value", ["http://a.acme.example", "ftp://a.acme.example", "a.acme.example", "//a.acme.example"]
    )
    def test_a_whole_address_is_https(self, value: str) -> None:
        assert self.fault(self.ZONE, "{x}/token", x=value)

    ANY = "[params.x]\npattern = '.*'\nhosts = ['*']\n"

    @pytest.mark.parametrize("value", ["127.0.0.1", "[::1]", "1.2.3", "10.0.0.1:8443", "2130706433", "acme.example."])
    def test_any_host_has_a_name(self, value: str) -> None:
        assert self.fault(self.ANY, "https://{x}/token", x=value)[0].startswith("address.token: ")
        assert self.fault(self.ANY, "https://{x}/token", x="gitlab.acme.example:8443") == []
        assert (
            list(faults_of_params(profile(self.ANY, at="{x}/t").profile, {"x": "http://127.0.0.1:9"}, allow_http=True))
            == []
        )

    def test_a_consent_page_may_have_a_fragment(self) -> None:
        found = bind(
            profile("address.authorize = 'https://{x}.acme.example/#/oauth'\n" + self.LABEL).profile, {"x": "a"}
        )
        assert found.consent_page == "https://a.acme.example/#/oauth"

    @pytest.mark.parametrize("value", ["..", "."])
    def test_a_path_does_not_climb(self, value: str) -> None:
        assert self.fault(self.WIDE, "https://acme.example/{x}/token", x=value)

    def test_they_are_known_and_complete(self) -> None:
        text = "[params.x]\nabout = 'your tenant'\n[params.y]\ndefault = 'eu'\n[params.z]\nanswer = 'z'\n"
        assert self.fault(text, "https://{y}.acme.example/{x}", q="1") == [
            "q is no parameter of Acme; they are x, y, z",
            "x must be set: your tenant",
        ]
        with pytest.raises(UnboundError, match="x must be set") as caught:
            bind(profile(text).profile, {})
        assert_clean(caught.value)

    def test_what_is_learned_wins_if_it_fits(self) -> None:
        text = (
            "[params.x]\npattern = '[a-z.]+'\ndefault = 'eu.acme.example'\nredirect = 'r'\nhosts = ['*.acme.example']"
        )
        bound = bind(profile(text, at="https://{x}/").profile, {}, {"x": "us.acme.example"})
        assert (bound.code_url, bound.with_values({"x": "A"}).code_url) == (
            "https://us.acme.example/",
            "https://eu.acme.example/",
        )
        assert bound.with_values({"x": "evil.example"}).code_url == ""
        with pytest.raises(UnboundError):
            bound.with_values({"x": "evil.example"}).address("token")

    def test_a_deployments_own_is_not_learned(self) -> None:
        bound = bind(profile("[params.x]\n", at="https://{x}.acme.example/").profile, {"x": "ours"}, {"x": "theirs"})
        assert bound.code_url == "https://ours.acme.example/"


STANDARD = {"grant_type": "refresh_token", "refresh_token": "canary-refresh"}
CREDENTIALS = {"client_id": "canary id", "client_secret": "canary&secret"}
POST = '[client]\nauth = "post"\n'
JWT = '[jwt]\nalg = "RS256"\n'
SIGNED = {
    "client_id": "canary id",
    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    "client_assertion": "SIGNED",
}
KEYED = "client.keys = ['apiKey']\n"
PARAMETERS: list[tuple[str, str, dict[str, Any]]] = [
    ("", "refresh_token", STANDARD),
    (POST, "refresh_token", {**STANDARD, **CREDENTIALS}),
    ('[client]\nauth = "none"\n', "refresh_token", {**STANDARD, "client_id": "canary id"}),
    ('[client]\nauth = "private_key_jwt"\n' + JWT, "refresh_token", {**STANDARD, **SIGNED}),
    (
        '[client]\nauth = "post"\nid_name = "client_key"\nsecret_name = "s"\n',
        "refresh_token",
        {**STANDARD, "client_key": "canary id", "s": "canary&secret"},
    ),
    ('[refresh]\nnames = { grant_type = "", refresh_token = "token" }', "refresh_token", {"token": "canary-refresh"}),
    (POST + "[refresh]\nstandard = false\nparameters = { a = 'b' }", "refresh_token", {**CREDENTIALS, "a": "b"}),
    ('[request]\nparameters = { grant_type = "x", a = "" }', "refresh_token", {**STANDARD, "grant_type": "x", "a": ""}),
    ('[params.o]\ndefault = ""\npattern = ".*"\n[refresh]\nparameters = { o = "{o}" }', "refresh_token", STANDARD),
    (
        '[sign_in]\nscopes = ["a", "b"]\nscope_separator = ","\n[refresh]\nscope = true',
        "refresh_token",
        {**STANDARD, "scope": "a,b"},
    ),
    (POST + '[refresh]\nauth = "off"', "refresh_token", STANDARD),
    ('[client]\nauth = "none"\nid_name = ""', "refresh_token", STANDARD),
    ("", "client_credentials", {"grant_type": "client_credentials"}),
    ('[sign_in]\nscopes = ["a"]', "client_credentials", {"grant_type": "client_credentials", "scope": "a"}),
    (
        JWT + '[client]\nkeys = ["apiKey"]\n[refresh]\nparameters = { key = "{apiKey}" }',
        "jwt_bearer",
        {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": "SIGNED",
            "key": 'canary"key',
        },
    ),
    (
        POST + '[refresh]\nparameters = { grant_type = "fb_exchange_token", fb_exchange_token = "{access_token}" }',
        "token_exchange",
        {**CREDENTIALS, "grant_type": "fb_exchange_token", "fb_exchange_token": "canary-access"},
    ),
    (
        KEYED
        + "[refresh]\nformat='json'\nstandard=false\nparameters.a = { b = ['{json(apiKey)}', 1, true, '{date+7}'] }",
        "refresh_token",
        {"a": {"b": ['canary\\"key', 1, True, "2026-12-03"]}},
    ),
    (
        "params.o = { default = '', pattern = '.?' }\n[refresh]\nformat = 'json'\nparameters.a = ['', '', '{o}']",
        "refresh_token",
        {**STANDARD, "a": ["", ""]},
    ),
]


class TestRequests:
    @pytest.mark.parametrize(("text", "grant", "parameters"), PARAMETERS)
    def test_a_grant_has_its_parameters(self, text: str, grant: str, parameters: dict[str, Any]) -> None:
        assert refreshed(text, grant).parameters == parameters

    HEADERS: tuple[tuple[str, dict[str, str]], ...] = (
        ("", {"Authorization": "Basic Y2FuYXJ5JTIwaWQ6Y2FuYXJ5JTI2c2VjcmV0"}),
        ('[client]\nauth = "basic-secret"\n', {"Authorization": "Basic Y2FuYXJ5JnNlY3JldA=="}),
        ('[client]\nauth = "off"\n', {}),
        ('refresh.headers = { authorization = "ID {clientSecret}" }', {"authorization": "ID canary&secret"}),
        (
            'client.auth = "off"\nrequest.headers = {A="{base64(clientId:)}"}\nrefresh.headers.content-type = "{{y}}"',
            {"A": "Y2FuYXJ5IGlkOg==", "content-type": "{y}"},
        ),
    )

    @pytest.mark.parametrize(("text", "headers"), HEADERS)
    def test_headers_come_from_the_profile(self, text: str, headers: dict[str, str]) -> None:
        request = refreshed(text)
        assert request.headers == headers
        assert request.all_headers("us")["User-Agent"] == "us"
        types = [text for name, text in request.all_headers("us").items() if name.lower() == "content-type"]
        assert types == [headers.get("content-type", "application/x-www-form-urlencoded")]

    WIRE = (
        ("", "POST", "https://acme.example/token", b"grant_type=refresh_token&refresh_token=canary-refresh"),
        ("format = 'json'", "POST", "https://acme.example/token", json.dumps(STANDARD).encode()),
        (
            "format = 'query'",
            "POST",
            "https://acme.example/token?grant_type=refresh_token&refresh_token=canary-refresh",
            b"",
        ),
        (
            "format = 'query'\nmethod = 'GET'",
            "GET",
            "https://acme.example/token?grant_type=refresh_token&refresh_token=canary-refresh",
            None,
        ),
    )

    @pytest.mark.parametrize(("text", "method", "address", "body"), WIRE)
    def test_the_format_says_where_they_go(self, text: str, method: str, address: str, body: bytes | None) -> None:
        request = refreshed(f"[refresh]\n{text}")
        assert (request.method, request.address, request.body) == (method, address, body)
        assert ("Content-Type" in request.all_headers("us")) == bool(body)

    def test_a_list_is_one_field_several_times(self) -> None:
        for form in ("form", "query"):
            request = refreshed(f"[refresh]\nformat = '{form}'\nstandard = false\nparameters.resource = ['a b', 'c']")
            assert (request.body or request.address.encode()).endswith(
                (b"resource=a+b&resource=c", b"?resource=a%20b&resource=c")
            )

    def test_a_query_is_kept(self) -> None:
        bound = profile(
            "[refresh]\nformat = 'query'\nnames = { grant_type = '' }",
            at="https://acme.example/token?a=b c".replace(" ", "%20"),
        )
        assert refresh_request(bound, APP, GRANT, NOW).address.endswith("token?a=b%20c&refresh_token=canary-refresh")

    def test_a_code_goes_where_it_should(self) -> None:
        text = "address.refresh = 'https://acme.example/{clientId}'\nsign_in.scopes = ['a', 'b']\n"
        bound = profile(text + "[code]\nnames = { code = 'auth_code' }\nparameters = { s = '{scope}' }")
        sent = code_request(bound, APP, code="C", redirect_uri="R", verifier="", occasion=NOW)
        assert (sent.url, sent.parameters) == (
            "https://acme.example/token",
            {"grant_type": "authorization_code", "auth_code": "C", "redirect_uri": "R", "s": "a b"},
        )
        assert refresh_request(bound, APP, GRANT, NOW).url == "https://acme.example/canary%20id"

    def test_another_exchange_may_follow(self) -> None:
        text = (
            'client.auth = "post"\nsign_in.scopes = ["a"]\n[exchange]\naddress = "https://api.acme.example/long"\n'
            'format = "query"\nmethod = "GET"\nauth = "off"\n[exchange.parameters]\naccess_token = "{access_token}"\n'
            'at = "{now} {epoch}"\nmore = "{refresh_token} {scope}"'
        )
        request = exchange_request(profile(text), APP, GRANT, NOW)
        assert request
        assert (request.method, request.url) == ("GET", "https://api.acme.example/long")
        assert request.parameters == {
            "access_token": "canary-access",
            "at": "2026-11-26T12:00:00Z 1795694400",
            "more": "canary-refresh a",
        }
        assert exchange_request(profile(), APP, GRANT, NOW) is None

    def test_steps_pass_values_on(self) -> None:
        text = (
            'name = "a"\ntitle = "A"\ngrant = "two_step"\nclient.keys = ["apiKey"]\n'
            '[[steps]]\naddress = "https://a.example/login"\nmethod = "GET"\nformat = "query"\n'
            'parameters = { k = "{apiKey}" }\nvalues = { session = "s", server = "u" }\n'
            '[[steps]]\naddress = "{server}/token"\nheaders = { Authorization = "Session {session}" }\n'
            'auth = "post"\nparameters = { scope = "{scope}" }\n[sign_in]\nscopes = ["a"]\n'
            '[params.server]\nhosts = ["*.a.example"]\npattern = ".*"\n'
        )
        bound = BoundProfile(profile=parse_profile(text))
        first, second = bound.profile.steps
        login = step_request(bound, APP, first, NOW)
        assert (login.method, login.address) == ("GET", "https://a.example/login?k=canary%22key")
        later = bound.with_values({"session": "S", "server": "https://eu.a.example/v1"})
        sent = step_request(later, APP, second, NOW)
        assert (sent.url, sent.headers, sent.parameters) == (
            "https://eu.a.example/v1/token",
            {"Authorization": "Session S"},
            {**CREDENTIALS, "scope": "a"},
        )
        for values in (
            {},
            {"session": "S", "server": "https://evil.example"},
            {"session": "a\nb", "server": "https://b.a.example"},
        ):
            with pytest.raises(ValueError, match="value") as caught:
                step_request(bound.with_values(values), APP, second, NOW)
            assert "evil" not in str(caught.value)

    @pytest.mark.parametrize("key", ["a\r\nb", "ä", "\ud800"])
    def test_a_header_that_cannot_be_sent(self, key: str) -> None:
        text = '[client]\nkeys = ["apiKey"]\n[request]\nheaders = { X-Key = "{apiKey}" }'
        with pytest.raises(ValueError, match="the header X-Key cannot carry its value"):
            refreshed(text, app=AppCredentials("i", "s", keys={"apiKey": key}))


ENDPOINTS = "".join(
    f"address.{name} = 'https://acme.example/{name}'\n" for name in ("revoke", "introspect", "device", "register")
)
OTHERS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("revoke", "", "POST", {"token": "canary-refresh", "token_type_hint": "refresh_token", **CREDENTIALS}),
    (
        "revoke",
        'revoke.token = "access_token"',
        "POST",
        {"token": "canary-access", "token_type_hint": "access_token", **CREDENTIALS},
    ),
    (
        "revoke",
        'revoke = { method = "DELETE", standard = false, auth = "basic", parameters = { a = "{access_token}" } }',
        "DELETE",
        {"a": "canary-access"},
    ),
    ("introspect", "", "POST", {"token": "T", "token_type_hint": "access_token", **CREDENTIALS}),
    (
        "device",
        "sign_in.scopes = ['a', 'b']",
        "POST",
        {"client_id": "canary id", "scope": "a b", "client_secret": "canary&secret"},
    ),
    (
        "token",
        "request.parameters.resource = 'r'",
        "POST",
        {
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
            "device_code": "D",
            "resource": "r",
            **CREDENTIALS,
        },
    ),
    (
        "register",
        "sign_in.scopes = ['a']",
        "POST",
        {
            "client_name": "N",
            "redirect_uris": ["R"],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "client_secret_post",
            "scope": "a",
        },
    ),
]


class TestOtherRequests:
    @pytest.mark.parametrize(("kind", "text", "method", "parameters"), OTHERS)
    def test_each_follows_its_rfc(self, kind: str, text: str, method: str, parameters: dict[str, Any]) -> None:
        bound = profile(f"{ENDPOINTS}{text}\n{POST}")
        request = {
            "revoke": lambda: revoke_request(bound, APP, GRANT, NOW),
            "introspect": lambda: introspect_request(bound, APP, "T", NOW),
            "device": lambda: device_request(bound, APP, NOW),
            "token": lambda: device_token_request(bound, APP, "D", NOW),
            "register": lambda: register_request(bound, client_name="N", redirect_uris=("R",)),
        }[kind]()
        assert (request.url, request.method, request.parameters) == (f"https://acme.example/{kind}", method, parameters)

    def test_a_token_alone_is_revoked(self) -> None:
        request = revoke_request(profile(ENDPOINTS), APP, Grant("", "canary-access"), NOW)
        assert request.parameters == {"token": "canary-access", "token_type_hint": "access_token"}


def issued(text: str, document: object, status: int = 200) -> IssuedToken:
    bound = profile(text)
    body = document if isinstance(document, str) else ""
    response = TokenResponse(status, document if isinstance(document, dict) else {}, "", body)
    response = in_standard_form(response, bound.profile.answer)
    token = issued_token(response, bound, APP, sent="canary-refresh")
    assert not response.refused
    assert isinstance(token, IssuedToken)
    return token


TOKEN = {"access_token": "A", "refresh_token": "R", "expires_in": 60}
LIVES: list[tuple[str, object, int | None]] = [
    ("seconds", 60, 60),
    ("seconds", "60", 60),
    ("milliseconds", 3_600_000, 3600),
    ("minutes", 30, 1800),
    ("moment", "2026-11-26T12:00:00Z", 1_795_694_400),
    ("moment", "2026-11-26T13:00:00+01:00", 1_795_694_400),
    ("moment", "2026-11-26T12:00:00", 1_795_694_400),
    ("moment", "Thu, 26 Nov 2026 12:00:00 GMT", 1_795_694_400),
    ("moment", "26 Nov 2026 12:00:00", 1_795_694_400),
    ("moment", "2026-11-26T12:00:00.123Z", 1_795_694_400),
    ("moment", 1_795_694_400, 1_795_694_400),
    ("seconds", 1_795_694_400_000, 1_795_694_400_000),
    ("milliseconds", 1_795_694_400_000, 1_795_694_400_000),
    ("seconds", "2026-11-26T12:00:00Z", 1_795_694_400),
    *(("moment", value, None) for value in ("soon", "", "9" * 40, True, "2026-99-99")),
    ("moment", [], None),
    ("moment", {}, None),
]


class TestAnswers:
    """Nothing optional loses the token, wherever it stands."""

    PLACES = (
        (
            "access_token = 'data.accessToken'\nrefresh_token = 'data.refreshToken'",
            {"data": {"accessToken": "A", "refreshToken": "R"}},
        ),
        (
            "inside = 'authed_user'",
            {"ok": True, "access_token": "bot", "authed_user": {"access_token": "A", "refresh_token": "R"}},
        ),
        ("inside = 'authed_user'", {"access_token": "A", "refresh_token": "R", "authed_user": {"id": 1}}),
        ("inside = 'data'\naccess_token = 'token'", {"data": {"token": "A"}, "refresh_token": "R"}),
        ("access_token = 'data.0.token'", {"data": [{"token": "A"}], "refresh_token": "R"}),
        ("access_token = 'a.b'", {"a.b": "A", "refresh_token": "R"}),
        ("access_token = 'data.token'", {"data": "x", "access_token": "A", "refresh_token": "R"}),
        ("access_token = 'data.token'", {"data": {"token": {}}, "access_token": "A", "refresh_token": "R"}),
        (
            "access_token = 'data.9.token'\nrefresh_token = 'token'",
            {"data": [], "access_token": "A", "refresh_token": "R", "token": 7},
        ),
        ("access_token = 'data.accessToken'\nrefresh_token = 'a.b.r'", {"accessToken": "A", "r": "R"}),
        ("access_token = 'token'", {"code": "SUCCESS", "status": "fail", "token": "A", "refresh_token": "R"}),
    )

    @pytest.mark.parametrize(("text", "document"), PLACES)
    def test_the_standards_place_is_a_fallback(self, text: str, document: dict[str, object]) -> None:
        token = issued(f"[answer]\n{text}", document)
        assert (token.access_token, token.refresh_token) == ("A", "R")

    @pytest.mark.parametrize("form", ["{}", '"{}"', " {}\r\n"])
    def test_a_body_may_be_the_token(self, form: str) -> None:
        assert issued("[answer]\naccess_token = ''", form.format("A" * 16)).access_token == "A" * 16

    WORDS = ((200, "Unauthorized"), (200, "No such user was found"), (401, "A" * 16), (500, "A" * 16), (200, ""))

    @pytest.mark.parametrize(("status", "body"), WORDS)
    def test_another_body_is_no_token(self, status: int, body: str) -> None:
        answer = profile("[answer]\naccess_token = ''").profile.answer
        assert "access_token" not in in_standard_form(TokenResponse(status, {}, "", body), answer).document

    @pytest.mark.parametrize(("unit", "value", "seconds"), LIVES)
    def test_a_life_has_a_unit(self, unit: str, value: object, seconds: int | None) -> None:
        text = f"[answer]\nexpires_in = 'life'\nexpires_unit = '{unit}'\nrefresh_expires_in = 'rest'"
        token = issued(text, {**TOKEN, "expires_in": None, "life": value, "rest": value})
        assert (token.expires_in, token.refresh_expires_in) == (seconds, seconds)

    def test_a_bad_life_falls_back(self) -> None:
        text = "[answer]\nexpires_in = 'life'\nlifetime_seconds = 0"
        assert issued(text, {**TOKEN, "life": "soon"}).expires_in == 60
        assert issued(text, {"access_token": "A"}).default_lifetime == 315_360_000
        assert issued("", {"access_token": "A", "expires_at": "2026-11-26T12:00:00Z"}).expires_in == 1_795_694_400

    JWT = ("{}", '{"exp": 1795694400}', '{"exp": 5}', '{"exp": "soon"}', "[]", "{", "[" * 9999)

    @pytest.mark.parametrize("claims", JWT)
    def test_a_token_may_know_its_end(self, claims: str) -> None:
        token = f"h.{urlsafe_b64encode(claims.encode()).decode().rstrip('=')}.s"
        assert issued("", {"access_token": token}).expires_in == (1_795_694_400 if "1795694400" in claims else None)
        assert issued("", {"access_token": token, "expires_in": 60}).expires_in == 60

    def test_values_are_texts_and_numbers(self) -> None:
        text = "[params.z]\nanswer = 'data.z'\n[answer.values]\nurl = 'instance'\n"
        text += "".join(f"{name} = '{name}'\n" for name in "ntrfk")
        given = {
            **TOKEN,
            "instance": "https://a",
            "n": 7,
            "t": "A",
            "r": "canary&secret",
            "k": 'canary"key',
            "f": True,
            "data": {"z": "Z"},
        }
        assert issued(text, given).values == {"url": "https://a", "n": 7, "z": "Z"}

    def test_scopes_get_spaces(self) -> None:
        text = "[sign_in]\nscope_separator = ','"
        assert [issued(text, {**TOKEN, "scope": scope}).scope for scope in ("a,b", ["a", "b"], 7)] == [
            "a b",
            "a b",
            None,
        ]

    def test_consumers_learn_what_is_unusual(self) -> None:
        assert issued("[api]\nuser = 'https://acme.example/me'", TOKEN).api == {}
        text = (
            "client.keys = ['apiKey']\n[params.host]\nanswer = 'host'\nhosts = ['*.acme.example']\npattern = '.+'\n"
            "[api]\nbase = 'https://{host}/v1'\nheader = 'X-Token'\nscheme = ''\nheaders = { A = '1', B = '{host}' }"
        )
        usual = {"header": "X-Token", "scheme": "", "headers": {"A": "1"}}
        assert issued(text, TOKEN).api == usual
        assert issued(text, {**TOKEN, "host": "evil.example"}).api == {
            **usual,
            "headers": {"A": "1", "B": "evil.example"},
        }
        assert issued(text, {**TOKEN, "host": "eu.acme.example"}).api == {
            **usual,
            "base": "https://eu.acme.example/v1",
            "headers": {"A": "1", "B": "eu.acme.example"},
        }


class TestRefusals:
    WORDS = (
        '[refusals]\ngrant = ["ERR_GONE", "AADSTS70008", "1004", "session has expired"]\n'
        'app = ["wrong Key"]\nlater = ["invalid_grant_busy"]'
    )
    SAID = (
        ({"error": "err_gone"}, Refusal.GRANT),
        ({"error": {"code": "ErrGone"}}, Refusal.GRANT),
        ({"error": "invalid_request", "error_description": "AADSTS70008: expired"}, Refusal.GRANT),
        ({"error": "invalid_request", "error_description": "AADSTS700082: x"}, Refusal.SETTINGS),
        ({"errcode": 1004}, Refusal.GRANT),
        ({"error": "invalid_scope", "message": "1004 of them"}, Refusal.SETTINGS),
        ({"error": "invalid_grant", "message": "Sorry, Wrong key."}, Refusal.APP),
        ({"error": "invalid_grant_busy"}, Refusal.LATER),
        ({"error": "invalid_client"}, Refusal.APP),
        ({"error": {"message": "Session has expired on", "type": "OAuthException", "code": 190}}, Refusal.GRANT),
    )

    @pytest.mark.parametrize(("document", "means"), SAID)
    def test_a_profile_has_its_words(self, document: dict[str, object], means: Refusal) -> None:
        assert meaning(TokenResponse(400, document), profile(self.WORDS).refresh_refusals) is means
        assert meaning(TokenResponse(503, document), profile(self.WORDS).refresh_refusals) in (
            Refusal.LATER,
            Refusal.UNEXPLAINED,
        )

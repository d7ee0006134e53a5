"""The sign-in at a provider with a profile: what its page gets, what its redirect says, how a code becomes a pair."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from refresh_token.core.token_pair import TokenPair
from refresh_token.oauth.app_credentials import AppCredentials
from refresh_token.oauth.bound_profile import BoundProfile
from refresh_token.oauth.profile_file import parse_profile
from tests.support.http_server import answering
from tests.support.token_server import TokenServer, http, issued
from tokenctl.errors import ServiceError
from tokenctl.sign_in.authorization_request import AuthorizationRequest, s256_challenge
from tokenctl.sign_in.authorization_response import Outcome
from tokenctl.sign_in.signed_in_user import who_asks
from tokenctl.sign_in.token_endpoint_exchange import TokenEndpointExchange

NOW = datetime(2026, 11, 26, 5, 0, tzinfo=UTC)
CODE, VERIFIER, APP_ID, APP_SECRET = "c0de", "verifier-of-nobody", "canary-app", "canary-secret"
ACCESS, REFRESH = "canary-access", "canary-refresh"
PAGE = "https://acme.example/authorize"
APP = AppCredentials(APP_ID, APP_SECRET)


def bound(sections: str = "", *, url: str = "https://acme.example", grant: str = "refresh_token") -> BoundProfile:
    """Return a profile with these sections; `SERVER` in them is the server's address."""
    head = f'name = "acme"\ntitle = "Acme"\ngrant = "{grant}"\n'
    address = "" if "[address]" in sections else '[address]\ntoken = "SERVER/token"\n'
    text = f"{head}{address}{sections}".replace("SERVER", url)
    return BoundProfile(profile=parse_profile(text, allow_http=True), allow_http=True)


def request(sections: str = "", page: str = PAGE, **more: Any) -> AuthorizationRequest:
    profile = bound(sections).profile
    return AuthorizationRequest(
        issuer_label="Acme",
        consent_page=page,
        client_id=APP_ID,
        redirect_uri="http://127.0.0.1:8976/callback",
        scopes=("read", "write"),
        rules=profile.sign_in,
        id_name=profile.client.id_name,
        **{"state": "s", "verifier": VERIFIER, **more},
    )


STANDARD = {
    "client_id": APP_ID,
    "redirect_uri": "http://127.0.0.1:8976/callback",
    "state": "s",
    "response_type": "code",
    "scope": "read write",
    "code_challenge": s256_challenge(VERIFIER),
    "code_challenge_method": "S256",
}


class TestTheConsentPage:
    @pytest.mark.parametrize(
        ("sections", "changes"),
        [
            ("", {}),
            ('[client]\nid_name = "client_key"', {"client_id": None, "client_key": APP_ID}),
            ('[sign_in]\nscope_separator = ","', {"scope": "read,write"}),
            ('[sign_in]\nscope_name = ""', {"scope": None}),
            ('[sign_in]\nscope_name = "user_scope"', {"scope": None, "user_scope": "read write"}),
            ('[sign_in]\npkce = "plain"', {"code_challenge": VERIFIER, "code_challenge_method": "plain"}),
            (
                '[sign_in]\nnames = { redirect_uri = "redirect_url", response_type = "", client_id = "" }',
                {
                    "redirect_uri": None,
                    "response_type": None,
                    "client_id": None,
                    "redirect_url": "http://127.0.0.1:8976/callback",
                },
            ),
        ],
    )
    def test_gets_what_it_expects(self, sections: str, changes: dict[str, str | None]) -> None:
        query = parse_qs(urlsplit(request(sections).address).query, strict_parsing=True)
        expected = {name: value for name, value in {**STANDARD, **changes}.items() if value is not None}
        assert query == {name: [value] for name, value in expected.items()}

    def test_parameters_replace_the_standards(self) -> None:
        address = request(parameters={"prompt": "consent", "redirect_uri": "Ada-Acme-1"}).address
        query = parse_qs(urlsplit(address).query)
        assert (query["prompt"], query["redirect_uri"]) == (["consent"], ["Ada-Acme-1"])

    def test_a_page_of_one_script_gets_them_there(self) -> None:
        address = request(page="https://acme.example/#/oauth").address
        assert address.startswith("https://acme.example/#/oauth?client_id=")

    def test_the_redirect_may_have_other_names(self) -> None:
        asked = request('[sign_in]\ncode_name = "spapi_oauth_code"\nnames = { state = "st" }')
        response = asked.read({"spapi_oauth_code": [CODE], "st": ["s"], "shop": ["ada"]})
        assert (response.outcome, response.code, response.redirect) == (Outcome.ALLOWED, CODE, {"shop": "ada"})
        assert asked.read({"code": [CODE], "state": ["s"]}).outcome is Outcome.FORGED


def exchanged(
    server: TokenServer, sections: str = "", *, redirect: Mapping[str, str] | None = None, **options: Any
) -> TokenPair:
    exchange = TokenEndpointExchange(profile=bound(sections, url=server.url, **options), app=APP, provider="acme")
    return exchange(request(sections.replace("SERVER", server.url)), CODE, now=NOW, redirect=redirect or {})


def pair(**members: object) -> Any:
    return issued(**{"access_token": ACCESS, "refresh_token": REFRESH, "expires_in": 60, **members})


class TestTheExchange:
    def test_a_pair_is_the_providers(self, token_endpoint: TokenServer) -> None:
        token_endpoint.answer(pair(scope="read", workspace="ada", token=ACCESS))
        found = exchanged(token_endpoint, '[answer]\nvalues = { workspace = "workspace", leak = "token" }')
        assert (found.provider, found.scope, found.values) == ("acme", "read", {"workspace": "ada"})
        assert (found.access_token, found.refresh_token) == (ACCESS, REFRESH)
        assert found.expires_at == NOW + timedelta(seconds=60)

    def test_the_redirect_says_what_the_pair_needs(self, token_endpoint: TokenServer) -> None:
        token_endpoint.answer(pair())
        sections = '[params.region]\nredirect = "location"\n[address]\ntoken = "SERVER/{region}/token"\n'
        sections += '[answer]\nredirect_values = { realmId = "realm" }'
        brought = {"location": "eu", "realm": "42", "other": "x"}
        found = exchanged(token_endpoint, sections, redirect=brought)
        assert found.values == {"region": "eu", "realmId": "42"}
        assert token_endpoint.seen[0].line.split()[1] == "/eu/token"

    @pytest.mark.parametrize("redirect", [{}, {"location": "../eu"}, {"location": "eu/x"}])
    def test_a_redirect_leads_to_no_other_address(self, token_endpoint: TokenServer, redirect: dict[str, str]) -> None:
        sections = '[params.region]\nredirect = "location"\n[address]\ntoken = "SERVER/{region}/token"\n'
        with pytest.raises(ServiceError, match=r"exchanged: \{region\} has no value"):
            exchanged(token_endpoint, sections, redirect=redirect)
        assert token_endpoint.seen == []

    def test_one_more_exchange_may_follow(self, token_endpoint: TokenServer) -> None:
        token_endpoint.answer(issued(access_token="short", expires_in=60, user="ada"), pair(refresh_token=None))
        sections = '[answer]\nvalues = { user = "user" }\n[exchange]\naddress = "SERVER/long"\nformat = "query"\n'
        sections += 'method = "GET"\nauth = "off"\nparameters = { grant_type = "long", old = "{access_token}" }'
        found = exchanged(token_endpoint, sections, grant="token_exchange")
        assert (found.access_token, found.refresh_token, found.values) == (ACCESS, "", {"user": "ada"})
        assert token_endpoint.seen[1].line.split()[:2] == ["GET", "/long?grant_type=long&old=short"]

    @pytest.mark.parametrize(("grant", "works"), [("refresh_token", False), ("token_exchange", True), ("static", True)])
    def test_a_refresh_token_is_needed_to_refresh(self, token_endpoint: TokenServer, grant: str, works: bool) -> None:  # noqa: FBT001 - a column
        token_endpoint.answer(pair(refresh_token=None))
        if works:
            assert exchanged(token_endpoint, grant=grant).refresh_token == ""
        else:
            with pytest.raises(ServiceError, match="gave no refresh token"):
                exchanged(token_endpoint, grant=grant)

    def test_no_refusal_names_another_issuers_settings(self, token_endpoint: TokenServer) -> None:
        token_endpoint.answer(http(401, b'{"error": "invalid_client"}'))
        with pytest.raises(ServiceError) as caught:
            exchanged(token_endpoint)
        assert "oauth2_client_auth" not in str(caught.value)


def test_the_user_is_asked_the_providers_way() -> None:
    answer = json.dumps({"data": [{"login": "ada"}], "mail": "ada@acme.example"})
    with answering(200, answer, {"Content-Type": "application/json"}) as url:
        sections = f'[address]\ntoken = "https://elsewhere.example/token"\n[api]\nuser = "{url}/{{team}}/me"\n'
        profile = bound(f'{sections}user_keys = ["data.0.login", "mail"]\n[answer]\nvalues = {{ team = "team" }}')
        who = who_asks(profile, "", None)
        assert who
        made = TokenPair(
            access_token=ACCESS, refresh_token="", values={"team": "a"}, api={"scheme": "", "header": "X-T"}
        )
        assert who(made) == "ada (ada@acme.example)"
        assert who(TokenPair(access_token=ACCESS, refresh_token="")) is None, "the page is not known"
        assert who_asks(profile, "https://operators.example/token", None) is None

"""The exchange of a code at a token endpoint: the request, what each answer means, and that no error shows either."""

import base64
import gzip
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

import pytest

from local.standin import CODE_LIFETIME, NINETY_DAYS
from refresh_token.core.token_pair import TokenPair
from refresh_token.oauth.app_credentials import AppCredentials
from refresh_token.oauth.bound_profile import BoundProfile
from refresh_token.oauth.issuer_settings import OwnAppSettings
from refresh_token.oauth.issuers import FigmaSettings, OAuth2Settings
from refresh_token.oauth.profile_file import parse_profile
from refresh_token.oauth.responses import MAX_BYTES
from tests.support import oauth2_server
from tests.support.certificates import Authority
from tests.support.connect_proxy import proxy
from tests.support.token_server import (
    Reply,
    TokenServer,
    accepting,
    basic,
    figma_error,
    http,
    issued,
    oauth_error,
    token_server,
)
from tokenctl.errors import ConfigurationError, ServiceError, TokenctlError
from tokenctl.sign_in.authorization_request import AuthorizationRequest, new_verifier, s256_challenge
from tokenctl.sign_in.token_endpoint_exchange import MAX_SECONDS, TokenEndpointExchange

ClientAuth = Literal["basic", "post"]

NOW = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
REDIRECT = "http://127.0.0.1:8976/callback"
CODE, VERIFIER = "c0de-of-nobody", "verifier-of-nobody"
APP_ID, APP_SECRET = "canary-app", "canary-s:cr t%+/é"
ACCESS, REFRESH = "figd_canary", "figr_canary"
APP = AppCredentials(client_id=APP_ID, client_secret=APP_SECRET)
PRIVATE = (CODE, VERIFIER, APP_ID, APP_SECRET, ACCESS, REFRESH)
REQUEST = AuthorizationRequest(
    issuer_label="Figma", consent_page="https://x", client_id=APP_ID, redirect_uri=REDIRECT, verifier=VERIFIER
)


def exchange(settings: OwnAppSettings, **options: Any) -> TokenEndpointExchange:
    profile = settings.profile
    return TokenEndpointExchange(url=profile.code_url, profile=profile, app=APP, **options)


def exchanged(server: TokenServer, bundle: Path | None = None, **options: Any) -> TokenPair:
    """Exchange a code at a server that plays Figma."""
    trust = {"bundle": str(bundle)} if bundle else {}
    return exchange(FigmaSettings(base_url=server.url), **trust, **options)(REQUEST, CODE, now=NOW)


def pair(**members: object) -> Reply:
    return issued(**{"access_token": ACCESS, "refresh_token": REFRESH, **members})


def basic_of(server: TokenServer) -> list[str]:
    return basic(server.seen[0].headers).split(":", 1)


def private_in(*texts: str) -> list[str]:
    return [private for private in PRIVATE for text in texts if private in text]


class TestTheRequest:
    def test_figma_gets_what_it_documents(self, token_endpoint: TokenServer) -> None:
        token_endpoint.answer(pair(user_id_string="1"))
        assert exchanged(token_endpoint) == TokenPair(
            access_token=ACCESS,
            refresh_token=REFRESH,
            client_id=APP_ID,
            expires_at=NOW + timedelta(seconds=NINETY_DAYS),
            refreshed_at=NOW,
        )
        (seen,) = token_endpoint.seen
        assert seen.line == "POST /v1/oauth/token HTTP/1.1"
        assert seen.form == {
            "grant_type": "authorization_code",
            "code": CODE,
            "redirect_uri": REDIRECT,
            "code_verifier": VERIFIER,
        }
        assert basic_of(token_endpoint) == [APP_ID, APP_SECRET]

    @pytest.mark.parametrize("client_auth", ["basic", "post"])
    def test_another_server_gets_its_settings(self, token_endpoint: TokenServer, client_auth: ClientAuth) -> None:
        token_endpoint.answer(pair(expires_in=None, token_type="Bearer"))
        settings = OAuth2Settings(
            token_url=f"{token_endpoint.url}/token",
            client_auth=client_auth,
            default_lifetime_seconds=600,
            extra_parameters={"audience": "them", "code": "not ours"},
        )
        pair_of_600_s = exchange(settings)(REQUEST, CODE, now=NOW)
        assert pair_of_600_s.expires_at == NOW + timedelta(seconds=600)
        form = token_endpoint.seen[0].form
        assert (form["audience"], form["code"], form["code_verifier"]) == ("them", CODE, VERIFIER)
        if client_auth == "post":
            assert (form["client_id"], form["client_secret"]) == (APP_ID, APP_SECRET)
            assert "Authorization" not in token_endpoint.seen[0].headers
        else:
            assert [unquote(part) for part in basic_of(token_endpoint)] == [APP_ID, APP_SECRET]
            assert "client_secret" not in form

    def test_an_app_may_prove_itself_by_a_signature(self, token_endpoint: TokenServer) -> None:
        token_endpoint.answer(pair())
        text = (
            f'name = "acme"\ntitle = "Acme"\ngrant = "refresh_token"\naddress.token = "{token_endpoint.url}"\n'
            'client.auth = "private_key_jwt"\njwt = { alg = "RS256", claims = { iss = "{clientId}" } }'
        )
        profile = BoundProfile(profile=parse_profile(text, allow_http=True), allow_http=True)
        made = TokenEndpointExchange(profile=profile, app=APP, sign=lambda message, name: name.encode() + message)
        assert made(REQUEST, CODE, now=NOW).access_token == ACCESS
        form = token_endpoint.seen[0].form
        header, claims, signature = (part + "==" for part in form["client_assertion"].split("."))
        assert json.loads(base64.urlsafe_b64decode(claims))["iss"] == form["client_id"] == APP_ID
        signed = base64.urlsafe_b64decode(signature)
        assert signed == f"RSASSA_PKCS1_V1_5_SHA_256{header.rstrip('=')}.{claims.rstrip('=')}".encode()
        with pytest.raises(ServiceError, match="there is no key to sign with"):
            replace(made, sign=None)(REQUEST, CODE, now=NOW)

    def test_no_repr_shows_credentials_or_verifier(self) -> None:
        assert private_in(repr(exchange(FigmaSettings())), repr(REQUEST)) == []


@pytest.fixture
def authlib() -> Iterator[oauth2_server.OAuth2Server]:
    """Return an independent server, which was built with Authlib and requires PKCE."""
    with oauth2_server.oauth2_server() as running:
        yield running


def at_authlib(
    server: oauth2_server.OAuth2Server, client_auth: ClientAuth, *, secret: str = "", challenge: str = ""
) -> TokenPair:
    verifier = new_verifier()
    code = server.allow("somebody", REDIRECT, challenge or s256_challenge(verifier))
    app = AppCredentials(oauth2_server.CLIENT_ID, secret or oauth2_server.CLIENT_SECRET)
    profile = OAuth2Settings(token_url=f"{server.url}{oauth2_server.PATH}", client_auth=client_auth).profile
    request = replace(REQUEST, client_id=app.client_id, verifier=verifier)
    return TokenEndpointExchange(url=profile.code_url, profile=profile, app=app)(request, code, now=NOW)


class TestAnIndependentServer:
    @pytest.mark.parametrize("client_auth", ["basic", "post"])
    def test_issues_a_pair(self, authlib: oauth2_server.OAuth2Server, client_auth: ClientAuth) -> None:
        issued_pair = at_authlib(authlib, client_auth)
        live = authlib.live("somebody")
        assert live is not None
        assert (issued_pair.access_token, issued_pair.refresh_token) == (live.access_token, live.refresh_token)
        assert issued_pair.expires_at == NOW + timedelta(hours=1)

    @pytest.mark.parametrize(
        ("client_auth", "wrong", "message"),
        [
            ("basic", {"challenge": s256_challenge("another")}, "The code was refused (HTTP 400, invalid_grant)."),
            ("basic", {"secret": "canary"}, "The issuer refuses the app's credentials (HTTP 401, invalid_client)."),
            ("post", {"secret": "canary"}, "The issuer refuses the app's credentials (HTTP 401, invalid_client)."),
        ],
        ids=["another's verifier", "wrong secret, basic", "wrong secret, post"],
    )
    def test_refuses_a_wrong_proof(
        self, authlib: oauth2_server.OAuth2Server, client_auth: ClientAuth, wrong: dict[str, str], message: str
    ) -> None:
        with pytest.raises(ServiceError) as caught:
            at_authlib(authlib, client_auth, **wrong)
        assert str(caught.value).startswith(message)
        assert authlib.server.tokens == {}


ECHO = " ".join(PRIVATE)
NO_PAIR = "answer makes no sense: it is not a token pair"
REFUSED, CREDENTIALS, LATER = "The code was refused", "refuses the app's credentials", "cannot exchange the code now"
LONG = json.dumps({"access_token": ACCESS, "refresh_token": REFRESH, "expires_in": 1, "x": "x" * MAX_BYTES}).encode()
MEMBERS = pair().body

ANSWERS: dict[str, tuple[Reply, str]] = {
    "HTML": (http(200, b"<h1>figd_canary</h1>"), NO_PAIR),
    "cut off": (Reply(raw=b'HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"access', hang_up=True), NO_PAIR),
    "too long": (http(200, LONG), NO_PAIR),
    "no access token": (pair(access_token=None), NO_PAIR),
    "no refresh token": (pair(refresh_token=None), "gave no refresh token"),
    "refresh token that is not text": (pair(refresh_token={"x": REFRESH}), NO_PAIR),
    "a redirect": (http(302, Location=f"https://figma.example/{CODE}"), "a redirect, which is not followed"),
    "refused": (figma_error(400, ECHO), f"{REFUSED} (HTTP 400)."),
    "refused with a code": (oauth_error(400, "invalid_grant"), f"{REFUSED} (HTTP 400, invalid_grant)."),
    "refused with 200": (oauth_error(200, "invalid_grant"), f"{REFUSED} (HTTP 200, invalid_grant)."),
    "not understood": (oauth_error(400, "invalid_request"), f"{REFUSED} (HTTP 400, invalid_request)."),
    "an echo as the error code": (oauth_error(400, CODE), f"{REFUSED} (HTTP 400)."),
    "forbidden": (http(403, ECHO.encode()), f"{LATER} (HTTP 403)."),
    "no endpoint": (http(404, ECHO.encode()), "There is no token endpoint at this address (HTTP 404)."),
    "wrong app": (figma_error(401, ECHO), f"{CREDENTIALS} (HTTP 401)."),
    "wrong app with a code": (oauth_error(400, "invalid_client"), f"{CREDENTIALS} (HTTP 400, invalid_client)."),
    "throttled": (http(429, ECHO.encode(), Retry_After="1"), f"{LATER} (HTTP 429)."),
    "error": (http(503, ECHO.encode(), Retry_After="0"), f"{LATER} (HTTP 503)."),
}

SILENCE: dict[str, Reply] = {
    "hangs up": Reply(hang_up=True),
    "reset": Reply(reset=True),
    "not HTTP": Reply(raw=b"figd_canary\r\n\r\n", hang_up=True),
    "silent": Reply(silent=30),
    "a head that drips": Reply(raw=b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 900, pause=0.05),
    "a body that drips": Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b" " * 900, pause=0.05),
}


ODD_PAIRS: dict[str, Reply] = {
    "a key twice": http(200, b'{"access_token": "figd_canary", ' + MEMBERS[1:]),
    "a byte order mark": http(200, b"\xef\xbb\xbf" + MEMBERS),
    "UTF-16": http(200, MEMBERS.decode().encode("utf-16")),
    "gzip": http(200, gzip.compress(MEMBERS), Content_Encoding="gzip"),
    "after a 103": Reply(raw=b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + http(200, MEMBERS).wire),
    "cut off after its end": Reply(raw=http(200, MEMBERS, Content_Length="999").wire, hang_up=True),
    "a form": http(
        200, f"access_token={ACCESS}&refresh_token={REFRESH}".encode(), Content_Type="application/x-www-form-urlencoded"
    ),
    "no expiry": pair(expires_in=None),
    "negative expiry": pair(expires_in=-1),
    "expiry in words": pair(expires_in=ACCESS),
    "not a bearer token": pair(token_type="mac"),
}


class TestAnswers:
    @pytest.mark.parametrize("answer", ODD_PAIRS.values(), ids=ODD_PAIRS)
    def test_with_odd_members_are_pairs(self, token_endpoint: TokenServer, answer: Reply) -> None:
        token_endpoint.answer(answer)
        found = exchanged(token_endpoint)
        assert (found.access_token, found.refresh_token) == (ACCESS, REFRESH)
        assert found.expires_at is not None

    @pytest.mark.parametrize(("answer", "message"), ANSWERS.values(), ids=ANSWERS)
    def test_without_a_pair_are_hidden_service_errors(
        self, token_endpoint: TokenServer, answer: Reply, message: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        token_endpoint.answer(answer)
        with caplog.at_level(logging.DEBUG), pytest.raises(ServiceError) as caught:
            exchanged(token_endpoint)
        assert message in str(caught.value)
        assert str(caught.value).endswith(" Nothing was stored. Run the command again.")
        assert caught.value.__suppress_context__
        assert len(token_endpoint.seen) == 1
        assert private_in(str(caught.value), caplog.text) == []

    @pytest.mark.parametrize("answer", SILENCE.values(), ids=SILENCE)
    def test_that_never_end_are_given_up(self, token_endpoint: TokenServer, answer: Reply) -> None:
        token_endpoint.answer(answer)
        with pytest.raises(TokenctlError, match=r"could not be reached \(.*\).* Nothing was stored") as caught:
            exchanged(token_endpoint, seconds=1.5)
        assert caught.value.exit_code == 255
        assert len(token_endpoint.seen) == 1
        assert private_in(str(caught.value)) == []

    def test_of_nobody_mean_unreachable(self) -> None:
        with pytest.raises(TokenctlError, match=r"could not be reached \(NewConnectionError\)"):
            exchanged(TokenServer(port=1))

    def test_may_not_take_longer_than_a_code_lives(self) -> None:
        assert MAX_SECONDS < CODE_LIFETIME


class TestTrust:
    @pytest.fixture(autouse=True)
    def _no_proxy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NO_PROXY", "localhost")

    def test_a_certificate_of_the_bundle_is_accepted(self, authority: Authority) -> None:
        with token_server(certificate=authority.issue("localhost")) as server:
            server.answer(pair())
            assert exchanged(server, authority.bundle).access_token == ACCESS

    @pytest.mark.parametrize("wrong", ["another host", "unknown authority", "expired"])
    def test_a_wrong_certificate_stops_the_request(self, authority: Authority, wrong: str) -> None:
        host = "other.example" if wrong == "another host" else "localhost"
        ends = timedelta(hours=-1) if wrong == "expired" else timedelta(hours=1)
        bundle = None if wrong == "unknown authority" else authority.bundle
        with token_server(certificate=authority.issue(host, ends=ends)) as server:
            with pytest.raises(TokenctlError, match="certificate is not trusted"):
                exchanged(server, bundle)
            assert server.seen == []

    def test_an_unreadable_bundle_names_its_settings(self, tmp_path: Path, authority: Authority) -> None:
        with (
            token_server(certificate=authority.issue("localhost")) as server,
            pytest.raises(ConfigurationError, match="--ca-bundle, AWS_CA_BUNDLE"),
        ):
            exchanged(server, tmp_path / "none.pem")

    def test_a_proxy_sees_only_a_tunnel(self, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
        heads: list[str] = []
        with token_server(certificate=authority.issue("localhost")) as server, accepting(proxy(heads)) as port:
            monkeypatch.delenv("NO_PROXY")
            monkeypatch.setenv("HTTPS_PROXY", f"http://me:w%40rd@127.0.0.1:{port}")
            server.answer(pair())
            assert exchanged(server, authority.bundle).access_token == ACCESS
        (head,) = heads
        assert head.startswith(f"CONNECT localhost:{server.port} HTTP/1.")
        assert base64.b64encode(b"me:w@rd").decode() in head
        assert private_in(head) == []

    @pytest.mark.parametrize("address", ["socks5://canary", "http://", "http://proxy:canary"])
    def test_an_unusable_proxy_is_a_configuration_error(
        self, authority: Authority, monkeypatch: pytest.MonkeyPatch, address: str
    ) -> None:
        monkeypatch.delenv("NO_PROXY")
        monkeypatch.setenv("HTTPS_PROXY", address)
        with (
            token_server(certificate=authority.issue("localhost")) as server,
            pytest.raises(ConfigurationError, match="HTTPS_PROXY names no proxy") as caught,
        ):
            exchanged(server, authority.bundle)
        assert "canary" not in str(caught.value)

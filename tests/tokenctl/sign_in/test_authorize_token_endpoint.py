"""The exchange of a code at a token endpoint: what goes out, what comes of each answer, and that none is shown."""

import base64
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest

from local.standin import CLIENT_ID, CLIENT_SECRET, CODE_LIFETIME, NINETY_DAYS, Standin
from refresh_token.token_pair import TokenPair
from tests.support import oauth2_server
from tests.support.certificates import Authority
from tests.support.connect_proxy import proxy
from tests.support.token_server import (
    Reply,
    TokenServer,
    accepting,
    figma_error,
    http,
    issued,
    oauth_error,
    token_server,
)
from tokenctl.errors import ConfigurationError, ServiceError, TokenctlError, UsageError
from tokenctl.sign_in.consent import Consent, new_verifier, s256
from tokenctl.sign_in.form_post import MOST_BYTES
from tokenctl.sign_in.token_endpoint import LONGEST_EXCHANGE, TokenEndpoint
from tokenctl.stack.app_secret import AppCredentials
from tokenctl.stack.issuer import FIGMA, OAUTH2, OwnApp

NOW = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
REDIRECT = "http://127.0.0.1:8976/callback"
CODE, VERIFIER = "c0de-of-nobody", "verifier-of-nobody"
APP_ID, APP_SECRET = "canary-app", "canary-s:cr t%+/é"
ACCESS, REFRESH = "figd_canary", "figr_canary"
PRIVATE = (CODE, VERIFIER, APP_ID, APP_SECRET, ACCESS, REFRESH)
SOON = 1.5


def endpoint(
    server: TokenServer, issuer: OwnApp | None = None, *, bundle: Path | None = None, seconds: float = LONGEST_EXCHANGE
) -> TokenEndpoint:
    return TokenEndpoint(
        url=f"{server.url}/v1/oauth/token",
        issuer=issuer or OwnApp(name=FIGMA, address=server.url),
        app=AppCredentials(client_id=APP_ID, client_secret=APP_SECRET),
        bundle=str(bundle) if bundle else None,
        seconds=seconds,
    )


def exchanged(asked: TokenEndpoint) -> TokenPair:
    consent = Consent(authorize_url="https://x", client_id=APP_ID, redirect_uri=REDIRECT, verifier=VERIFIER)
    return asked(consent, CODE, now=NOW)


def pair(**members: object) -> Reply:
    return issued(**{"access_token": ACCESS, "refresh_token": REFRESH, **members})


def basic_of(server: TokenServer) -> list[str]:
    kind, _, encoded = server.seen[0].headers["Authorization"].partition(" ")
    assert kind == "Basic"
    return base64.b64decode(encoded).decode().split(":", 1)


def test_figma_is_asked_as_it_documents_it_and_its_answer_becomes_a_pair(token_endpoint: TokenServer) -> None:
    token_endpoint.answer(pair(user_id_string="1"))
    assert exchanged(endpoint(token_endpoint)) == TokenPair(
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
def test_an_oauth_2_server_is_asked_as_the_function_asks_it(token_endpoint: TokenServer, client_auth: str) -> None:
    token_endpoint.answer(pair(expires_in=None, token_type="Bearer"))
    extra = {"audience": "them", "code": "not ours"}
    issuer = OwnApp(name=OAUTH2, address=token_endpoint.url, client_auth=client_auth, lifetime=600, extra=extra)
    assert exchanged(endpoint(token_endpoint, issuer)).expires_at == NOW + timedelta(seconds=600)
    form = token_endpoint.seen[0].form
    assert (form["audience"], form["code"], form["code_verifier"]) == ("them", CODE, VERIFIER)
    if client_auth == "post":
        assert (form["client_id"], form["client_secret"]) == (APP_ID, APP_SECRET)
        assert "Authorization" not in token_endpoint.seen[0].headers
    else:
        assert [unquote(part) for part in basic_of(token_endpoint)] == [APP_ID, APP_SECRET]
        assert "client_secret" not in form


def test_an_id_that_figma_could_not_tell_from_its_secret_is_refused_unseen(token_endpoint: TokenServer) -> None:
    wrong = AppCredentials(client_id="canary:app", client_secret=APP_SECRET)
    asked = TokenEndpoint(url=token_endpoint.url, issuer=OwnApp(name=FIGMA, address=""), app=wrong)
    with pytest.raises(UsageError, match="has a colon") as caught:
        exchanged(asked)
    assert "canary" not in str(caught.value)
    assert token_endpoint.seen == []


def test_neither_credentials_nor_verifier_are_in_a_repr(token_endpoint: TokenServer) -> None:
    consent = Consent(authorize_url="https://x", client_id=APP_ID, redirect_uri=REDIRECT, verifier=VERIFIER)
    for shown in (repr(endpoint(token_endpoint)), repr(consent)):
        assert [private for private in PRIVATE if private in shown] == []


# --- the stand-in, which checks the verifier ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def standin() -> Iterator[Standin]:
    with Standin() as running:
        yield running


def at_the_standin(standin: Standin, *, late: float = 0, challenge: str = "", secret: str = CLIENT_SECRET) -> TokenPair:
    standin.reset()
    verifier = new_verifier()
    code = standin._app.state.grants.authorize(CLIENT_ID, REDIRECT, challenge or s256(verifier))
    standin.advance(late)
    app = AppCredentials(client_id=CLIENT_ID, client_secret=secret)
    url = f"{standin.url}/v1/oauth/token"
    consent = Consent(authorize_url="https://x", client_id=CLIENT_ID, redirect_uri=REDIRECT, verifier=verifier)
    return TokenEndpoint(url=url, issuer=OwnApp(name=FIGMA, address=standin.url), app=app)(consent, code, now=NOW)


def test_the_standin_gives_a_pair_for_code_and_verifier(standin: Standin) -> None:
    assert at_the_standin(standin).access_token == standin.grants()[0].access_token


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"late": CODE_LIFETIME + 1}, "The code was refused (HTTP 400). It works once and not for long, 30 seconds"),
        ({"challenge": s256("another")}, "The code was refused (HTTP 400)."),
        ({"secret": "canary-wrong"}, "The issuer refuses the app's credentials (HTTP 401)."),
    ],
    ids=["too late", "another's verifier", "wrong secret"],
)
def test_the_standin_refuses_what_is_wrong(standin: Standin, wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ServiceError) as caught:
        at_the_standin(standin, **wrong)  # type: ignore[arg-type]
    assert str(caught.value).startswith(said)
    assert str(caught.value).endswith(" Nothing was stored. Run the command again.")
    assert "canary" not in str(caught.value)
    assert standin.grants() == []


# --- a server built with Authlib, which insists on PKCE -------------------------------------------------------------


@pytest.fixture
def authlib() -> Iterator[oauth2_server.OAuth2Server]:
    with oauth2_server.oauth2_server() as running:
        yield running


def at_authlib(
    server: oauth2_server.OAuth2Server,
    *,
    client_auth: str = "basic",
    secret: str = oauth2_server.CLIENT_SECRET,
    challenge: str = "",
) -> TokenPair:
    verifier = new_verifier()
    code = server.allow("somebody", REDIRECT, challenge or s256(verifier))
    app = AppCredentials(client_id=oauth2_server.CLIENT_ID, client_secret=secret)
    issuer = OwnApp(name=OAUTH2, address=f"{server.url}{oauth2_server.PATH}", client_auth=client_auth)
    consent = Consent(authorize_url="https://x", client_id=app.client_id, redirect_uri=REDIRECT, verifier=verifier)
    return TokenEndpoint(url=issuer.address, issuer=issuer, app=app)(consent, code, now=NOW)


@pytest.mark.parametrize("client_auth", ["basic", "post"])
def test_an_independent_server_gives_a_pair_that_begins_a_family(
    authlib: oauth2_server.OAuth2Server, client_auth: str
) -> None:
    issued_pair = at_authlib(authlib, client_auth=client_auth)
    live = authlib.live("somebody")
    assert live is not None
    assert (issued_pair.access_token, issued_pair.refresh_token) == (live.access_token, live.refresh_token)
    assert issued_pair.expires_at == NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"challenge": s256("another")}, "The code was refused (HTTP 400, invalid_grant)."),
        ({"secret": "canary-wrong"}, "The issuer refuses the app's credentials (HTTP 401, invalid_client)."),
        (
            {"secret": "canary-wrong", "client_auth": "post"},
            "The issuer refuses the app's credentials (HTTP 401, invalid_client).",
        ),
    ],
    ids=["another's verifier", "wrong secret, basic", "wrong secret, post"],
)
def test_an_independent_server_refuses_what_is_wrong(
    authlib: oauth2_server.OAuth2Server, wrong: dict[str, str], said: str
) -> None:
    with pytest.raises(ServiceError) as caught:
        at_authlib(authlib, **wrong)
    assert str(caught.value).startswith(said)
    assert authlib.server.tokens == {}


# --- answers --------------------------------------------------------------------------------------------------------

ECHO = " ".join(PRIVATE)
NO_PAIR = "answer makes no sense: it is not a token pair"
REFUSED, CREDENTIALS, LATER = "The code was refused", "refuses the app's credentials", "cannot exchange the code now"
LONG = json.dumps({"access_token": ACCESS, "refresh_token": REFRESH, "expires_in": 1, "x": "x" * MOST_BYTES}).encode()

ANSWERS: dict[str, tuple[Reply, str]] = {
    "HTML": (http(200, b"<h1>figd_canary</h1>"), NO_PAIR),
    "empty": (http(200), NO_PAIR),
    "cut off": (Reply(b'HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"access', hang_up=True), NO_PAIR),
    "a list": (http(200, b'["figd_canary"]'), NO_PAIR),
    "not text": (http(200, b"\xff\xfe"), NO_PAIR),
    "nested without end": (http(200, b"[" * 60_000), NO_PAIR),
    "a key twice": (http(200, b'{"access_token": "figd_canary", ' + pair().raw.partition(b"\r\n\r\n{")[2]), NO_PAIR),
    "too long": (http(200, LONG), NO_PAIR),
    "compressed": (http(200, pair().raw.partition(b"\r\n\r\n")[2], Content_Encoding="gzip"), NO_PAIR),
    "no access token": (pair(access_token=None), NO_PAIR),
    "no expiry": (pair(expires_in=None), NO_PAIR),
    "negative expiry": (pair(expires_in=-1), NO_PAIR),
    "expiry in words": (pair(expires_in=ACCESS), NO_PAIR),
    "no refresh token": (pair(refresh_token=None), "gave no refresh token"),
    "refresh token that is no text": (pair(refresh_token={"x": REFRESH}), NO_PAIR),
    "no bearer token": (pair(token_type="mac"), "no bearer token"),
    "token type that is no text": (pair(token_type=7), "no bearer token"),
    "a redirect": (http(302, Location=f"https://figma.example/{CODE}"), "a redirect, which is not followed"),
    "refused": (figma_error(400, ECHO), f"{REFUSED} (HTTP 400)."),
    "refused by the RFC": (oauth_error(400, "invalid_grant"), f"{REFUSED} (HTTP 400, invalid_grant)."),
    "refused with 200": (oauth_error(200, "invalid_grant"), f"{REFUSED} (HTTP 200, invalid_grant)."),
    "an echo as the error code": (oauth_error(400, CODE), f"{REFUSED} (HTTP 400)."),
    "forbidden": (http(403, ECHO.encode()), f"{REFUSED} (HTTP 403)."),
    "wrong app": (figma_error(401, ECHO), f"{CREDENTIALS} (HTTP 401)."),
    "wrong app by the RFC": (oauth_error(400, "invalid_client"), f"{CREDENTIALS} (HTTP 400, invalid_client)."),
    "throttled": (http(429, ECHO.encode(), Retry_After="1"), f"{LATER} (HTTP 429)."),
    "error": (http(503, ECHO.encode(), Retry_After="0"), f"{LATER} (HTTP 503)."),
}


@pytest.mark.parametrize(("answer", "said"), ANSWERS.values(), ids=ANSWERS)
def test_any_other_answer_is_an_error_that_shows_nothing_and_is_asked_for_once(
    token_endpoint: TokenServer, answer: Reply, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    token_endpoint.answer(answer)
    with caplog.at_level(logging.DEBUG), pytest.raises(ServiceError) as caught:
        exchanged(endpoint(token_endpoint))
    assert said in str(caught.value)
    assert str(caught.value).endswith(" Nothing was stored. Run the command again.")
    assert caught.value.__suppress_context__
    assert len(token_endpoint.seen) == 1
    for text in (str(caught.value), caplog.text):
        assert [private for private in PRIVATE if private in text] == []


LOST: dict[str, Reply] = {
    "hangs up": Reply(hang_up=True),
    "reset": Reply(reset=True),
    "not HTTP": Reply(b"figd_canary\r\n\r\n", hang_up=True),
    "silent": Reply(silent=30),
    "a head that drips": Reply(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 900, pause=0.05),
    "a body that drips": Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b" " * 900, pause=0.05),
}


@pytest.mark.parametrize("answer", LOST.values(), ids=LOST)
def test_who_does_not_answer_in_time_is_not_waited_for(token_endpoint: TokenServer, answer: Reply) -> None:
    token_endpoint.answer(answer)
    with pytest.raises(TokenctlError, match=r"could not be reached \(.*\).* Nothing was stored") as caught:
        exchanged(endpoint(token_endpoint, seconds=SOON))
    assert caught.value.exit_code == 255
    assert len(token_endpoint.seen) == 1
    assert [private for private in PRIVATE if private in str(caught.value)] == []


def test_a_server_that_is_not_there_could_not_be_reached() -> None:
    gone = TokenServer(port=1)
    with pytest.raises(TokenctlError, match=r"could not be reached \(NewConnectionError\)"):
        exchanged(endpoint(gone))


def test_nobody_waits_longer_for_an_answer_than_a_code_lives() -> None:
    assert LONGEST_EXCHANGE < CODE_LIFETIME


# --- certificates and proxies ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "ours")


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "localhost")


@pytest.mark.usefixtures("no_proxy")
def test_a_certificate_of_the_given_bundle_is_taken(authority: Authority) -> None:
    with token_server(certificate=authority.issue("localhost")) as server:
        server.answer(pair())
        assert exchanged(endpoint(server, bundle=authority.bundle)).access_token == ACCESS


@pytest.mark.usefixtures("no_proxy")
@pytest.mark.parametrize("wrong", ["another host", "nobody knows it", "expired"])
def test_a_certificate_that_is_wrong_is_refused_before_anything_is_sent(authority: Authority, wrong: str) -> None:
    made = {
        "another host": lambda: authority.issue("other.example"),
        "nobody knows it": lambda: authority.issue("localhost"),
        "expired": lambda: authority.issue("localhost", ends=timedelta(hours=-1)),
    }
    bundle = None if wrong == "nobody knows it" else authority.bundle
    with token_server(certificate=made[wrong]()) as server:
        with pytest.raises(TokenctlError, match="certificate is not accepted"):
            exchanged(endpoint(server, bundle=bundle))
        assert server.seen == []


@pytest.mark.usefixtures("no_proxy")
def test_a_bundle_that_cannot_be_read_is_named_by_where_it_is_set(tmp_path: Path, authority: Authority) -> None:
    with (
        token_server(certificate=authority.issue("localhost")) as server,
        pytest.raises(ConfigurationError, match="--ca-bundle, AWS_CA_BUNDLE"),
    ):
        exchanged(endpoint(server, bundle=tmp_path / "none.pem"))


def test_a_proxy_makes_a_tunnel_that_it_cannot_look_into(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    with token_server(certificate=authority.issue("localhost")) as server, accepting(proxy(asked)) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:w%40rd@127.0.0.1:{port}")
        server.answer(pair())
        assert exchanged(endpoint(server, bundle=authority.bundle)).access_token == ACCESS
    (head,) = asked
    assert head.startswith(f"CONNECT localhost:{server.port} HTTP/1.1\r\n")
    assert base64.b64encode(b"me:w@rd").decode() in head
    assert not [private for private in PRIVATE if private in head]


@pytest.mark.parametrize("address", ["socks5://canary", "http://", "http://proxy:canary"])
def test_a_proxy_that_cannot_be_used_is_a_setting_that_is_wrong(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    with (
        token_server(certificate=authority.issue("localhost")) as server,
        pytest.raises(ConfigurationError, match="HTTPS_PROXY names no proxy") as caught,
    ):
        exchanged(endpoint(server, bundle=authority.bundle))
    assert "canary" not in str(caught.value)


def test_plain_http_on_this_machine_goes_past_the_proxy(token_endpoint: TokenServer) -> None:
    token_endpoint.answer(pair())  # HTTPS_PROXY is set, to nobody
    assert exchanged(endpoint(token_endpoint)).access_token == ACCESS

"""The exchange of a code against the stand-in: what comes out, and that no error shows what was sent or answered."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.standin import CLIENT_ID, HTML, MALFORMED, NINETY_DAYS, Standin
from refresh_token.token_pair import TokenPair
from tokenctl.errors import ServiceError, TokenctlError
from tokenctl.sign_in.consent import Consent
from tokenctl.sign_in.ui_builder import exchange, exchange_client
from tokenctl.stack.target import Connection

NOW = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
REDIRECT = "http://127.0.0.1:8976/callback"
CODE = "c0de-of-nobody"
OPERATION = "ExchangeCodeForToken"


@pytest.fixture(scope="module")
def running_standin() -> Iterator[Standin]:
    with Standin() as standin:
        yield standin


@pytest.fixture
def standin(running_standin: Standin, monkeypatch: pytest.MonkeyPatch) -> Standin:
    running_standin.reset()
    monkeypatch.setenv("AWS_ENDPOINT_URL_AMPLIFYUIBUILDER", running_standin.url)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    return running_standin


@pytest.fixture
def client(standin: Standin) -> Iterator[Any]:
    client = exchange_client(Connection(region="eu-west-1", endpoint_url=standin.url))
    yield client
    client.close()


def exchanged(client: Any, code: str = CODE, redirect_uri: str = REDIRECT) -> TokenPair:
    consent = Consent(authorize_url="https://x", client_id=CLIENT_ID, redirect_uri=redirect_uri)
    return exchange(client, consent, code, now=NOW)


def allowed(standin: Standin) -> str:
    return standin._app.state.grants.authorize(CLIENT_ID, REDIRECT)


def test_a_code_becomes_a_pair_with_its_expiry_and_client_id(standin: Standin, client: Any) -> None:
    pair = exchanged(client, allowed(standin))
    grant = standin.grants()[0]
    assert pair == TokenPair(
        access_token=grant.access_token,
        refresh_token=grant.refresh_token,
        client_id=CLIENT_ID,
        expires_at=NOW + timedelta(seconds=NINETY_DAYS),
        refreshed_at=NOW,
    )


def test_a_code_that_is_too_old_is_refused_with_the_rules(standin: Standin, client: Any) -> None:
    code = allowed(standin)
    standin.advance(31)
    with pytest.raises(ServiceError, match=r"refused. It lives 30 seconds .* Nothing was stored. Run the command"):
        exchanged(client, code)


def test_a_code_for_another_redirect_address_is_refused(standin: Standin, client: Any) -> None:
    with pytest.raises(ServiceError, match="refused"):
        exchanged(client, allowed(standin), redirect_uri="http://localhost:8976/callback")


ANSWERS: dict[str, dict[str, Any]] = {
    "cut off": {"body": MALFORMED},
    "a page": {"body": HTML, "content_type": "text/html"},
    "empty": {"body": ""},
    "a list": {"body": '["figd_x"]'},
    "no refresh token": {"omit": ("refreshToken",)},
    "no access token": {"omit": ("accessToken",)},
    "no expiry": {"omit": ("expiresIn",)},
    "expired": {"answer": {"expiresIn": 0}},
    "expiry that is no number": {"answer": {"expiresIn": True}},
    "expiry in words": {"answer": {"expiresIn": "figd_soon"}},
    "refresh token that is no text": {"answer": {"refreshToken": {"figr_x": 1}}},
    "error": {"status": 500, "code": "InternalServerException", "message": f"{CODE} {CLIENT_ID}"},
    "denied": {"status": 403, "code": "AccessDeniedException", "message": f"{CODE} {CLIENT_ID}"},
    "refused": {"status": 400, "code": "InvalidParameterException", "message": f"{CODE} {CLIENT_ID}"},
    "error page": {"status": 502, "body": HTML, "content_type": "text/html"},
    "error in a list": {"status": 500, "body": '["figd_x"]'},
    "error cut off": {"status": 400, "body": MALFORMED},
}


@pytest.mark.parametrize("name", ANSWERS)
def test_any_other_answer_is_an_error_of_the_service_that_shows_nothing_of_it(
    standin: Standin, client: Any, name: str
) -> None:
    standin.fail(OPERATION, **ANSWERS[name])
    code = allowed(standin)
    with pytest.raises(ServiceError, match=r"Nothing was stored\. Run the command again\.$") as caught:
        exchanged(client, code)
    assert caught.value.__suppress_context__
    for private in ("figd_", "figr_", code, CODE, CLIENT_ID, "Sorry"):
        assert private not in str(caught.value)


def test_a_service_that_hangs_up_could_not_be_reached(standin: Standin, client: Any) -> None:
    standin.fail(OPERATION, drop=True)
    with pytest.raises(TokenctlError, match=r"could not be reached .* Nothing was stored") as caught:
        exchanged(client, allowed(standin))
    assert caught.value.exit_code == 255


def test_nobody_waits_longer_for_an_answer_than_a_code_lives(client: Any) -> None:
    assert client.meta.config.read_timeout < 30


def test_the_operators_own_timeouts_win(standin: Standin) -> None:
    client = exchange_client(Connection(region="eu-west-1", connect_timeout=2, read_timeout=0))
    assert (client.meta.config.connect_timeout, client.meta.config.read_timeout) == (2, None)
    assert client.meta.endpoint_url == standin.url
    client.close()

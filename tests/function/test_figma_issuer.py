"""Figma as an issuer: its request, and what its errors mean. What all issuers share is in `test_issuer_contract.py`."""

import json
from base64 import b64decode

import pytest

from refresh_token.errors import (
    ConfigurationException,
    IssuerProtocolException,
    ReauthorizationRequiredException,
    RefreshTokenError,
)
from refresh_token.issued_token import IssuedToken
from refresh_token.issuers.registry import issuer_named
from tests.support.canaries import assert_clean
from tests.support.function_environment import APP_ID, APP_SECRET, AppSecret
from tests.support.token_server import LIFETIME, Reply, TokenServer, figma_error, http, issued, oauth_error

REFRESH, OTHER = "canary-refresh", "canary-other"
Reauthorize, Misconfigured = ReauthorizationRequiredException, ConfigurationException


def refresh(server: TokenServer, app: AppSecret, base: str = "") -> IssuedToken:
    environment = {"FIGMA_BASE_URL": base or server.url, "APP_SECRET_ARN": app.arn, "ALLOW_HTTP_ISSUER": "true"}
    return issuer_named("figma", environment).refresh(REFRESH, OTHER, seconds=12.5)


def fault(server: TokenServer, app: AppSecret) -> RefreshTokenError:
    with pytest.raises(RefreshTokenError) as caught:
        refresh(server, app)
    assert_clean(caught.value)
    return caught.value


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_request_is_the_one_that_figma_documents(
    slash: str, token_endpoint: TokenServer, app_secret: AppSecret
) -> None:
    refresh(token_endpoint, app_secret, f"{token_endpoint.url}{slash}")
    (seen,) = token_endpoint.seen
    assert seen.line == "POST /v1/oauth/refresh HTTP/1.1"
    assert seen.form == {"refresh_token": REFRESH}
    scheme, _, credentials = seen.headers["Authorization"].partition(" ")
    assert (scheme, b64decode(credentials).decode()) == ("Basic", f"{APP_ID}:{APP_SECRET}")


def test_the_credentials_go_out_as_they_are(token_endpoint: TokenServer, app_secret: AppSecret) -> None:
    app_secret.store(json.dumps({"clientId": "i d%&", "clientSecret": "se:cr+et/ö"}))
    refresh(token_endpoint, app_secret)
    credentials = token_endpoint.seen[0].headers["Authorization"].removeprefix("Basic ")
    assert b64decode(credentials).decode() == "i d%&:se:cr+et/ö"


def test_an_id_with_a_colon_would_be_taken_apart_elsewhere(token_endpoint: TokenServer, app_secret: AppSecret) -> None:
    app_secret.store(json.dumps({"clientId": "canary:id", "clientSecret": "canary"}))
    assert type(fault(token_endpoint, app_secret)) is Misconfigured
    assert token_endpoint.seen == []


def test_new_credentials_are_used_at_once(token_endpoint: TokenServer, app_secret: AppSecret) -> None:
    environment = {"FIGMA_BASE_URL": token_endpoint.url, "APP_SECRET_ARN": app_secret.arn, "ALLOW_HTTP_ISSUER": "true"}
    issuer = issuer_named("figma", environment)
    for secret in ("one", "two"):
        app_secret.store(json.dumps({"clientId": APP_ID, "clientSecret": secret}))
        issuer.refresh(REFRESH, None, seconds=12.5)
    sent = [b64decode(seen.headers["Authorization"].removeprefix("Basic ")) for seen in token_endpoint.seen]
    assert sent == [f"{APP_ID}:one".encode(), f"{APP_ID}:two".encode()]
    assert [seen.connection for seen in token_endpoint.seen] == [1, 1], "on one connection"


def test_an_answer_with_what_figma_may_add_is_taken(token_endpoint: TokenServer, app_secret: AppSecret) -> None:
    token_endpoint.answer(issued(refresh_token="rotated", user_id_string="7", token_type=None))
    assert refresh(token_endpoint, app_secret) == IssuedToken(
        access_token="access-issued", expires_in=LIFETIME, refresh_token="rotated"
    )


MEANINGS: list[tuple[Reply, type[RefreshTokenError]]] = [
    *((figma_error(status, "Invalid refresh token"), Reauthorize) for status in (400, 401, 403)),
    *((figma_error(status, "Token was revoked for this client"), Reauthorize) for status in (400, 401, 403)),
    *((figma_error(status, "Invalid grant for this app"), Reauthorize) for status in (400, 401, 403)),
    *((figma_error(status, "Unauthorized"), Reauthorize) for status in (400, 401, 403)),
    *((figma_error(status, ""), Reauthorize) for status in (400, 401, 403)),
    *((figma_error(status, "Invalid client credentials"), Misconfigured) for status in (400, 401, 403)),
    *((figma_error(status, "Parameter client_id is required"), Misconfigured) for status in (400, 401, 403)),
    *((figma_error(status, "The secret is wrong"), Misconfigured) for status in (400, 401, 403)),
    *((figma_error(status, "This app was suspended"), Misconfigured) for status in (400, 401, 403)),
    (figma_error(400, "It happened"), Reauthorize),  # "app" inside another word
    (oauth_error(400, "invalid_grant"), Reauthorize),
    (oauth_error(400, "invalid_request"), Reauthorize),
    (oauth_error(400, "invalid_client"), Misconfigured),
    (oauth_error(401, "invalid_client"), Misconfigured),
    (oauth_error(400, "unauthorized_client"), Misconfigured),
    (http(401, b"{}", WWW_Authenticate='Basic realm="figma"'), Misconfigured),
    (oauth_error(401, "invalid_grant", WWW_Authenticate="Basic"), Reauthorize),
    (http(400, b'{"error": "invalid_grant", "error_description": "Not a grant of this client"}'), Reauthorize),
    (http(400, b'{"error": "invalid_grant", "error_description": "Wrong client"}'), Reauthorize),
    (http(400, b'{"error": true, "message": ["client"]}'), Reauthorize),
    (http(200, b'{"error": "invalid_grant"}'), Reauthorize),
    (figma_error(404, "No such client"), IssuerProtocolException),
]


@pytest.mark.parametrize(("reply", "expected"), MEANINGS, ids=[repr(reply.raw[9:12]) for reply, _ in MEANINGS])
def test_a_refusal_means_what_its_words_say(
    reply: Reply, expected: type[RefreshTokenError], token_endpoint: TokenServer, app_secret: AppSecret
) -> None:
    token_endpoint.answer(reply)
    error = fault(token_endpoint, app_secret)
    assert type(error) is expected
    if expected is Misconfigured:
        assert "tokenctl app-credentials" in str(error)


def test_without_credentials_figma_is_not_asked(token_endpoint: TokenServer, app_secret: AppSecret) -> None:
    app_secret.store("{}")
    assert type(fault(token_endpoint, app_secret)) is Misconfigured
    assert token_endpoint.seen == []

"""Any OAuth 2 server as an issuer. What all issuers share is in `test_issuer_contract.py`."""

import json
from base64 import b64decode

import pytest

from refresh_token.errors import (
    ConfigurationException,
    IssuerProtocolException,
    IssuerUnavailableException,
    ReauthorizationRequiredException,
    RefreshTokenError,
)
from refresh_token.issued_token import IssuedToken
from refresh_token.issuers.registry import issuer_named
from refresh_token.oauth.issuers import DEFAULT_LIFETIME
from tests.support.canaries import assert_clean
from tests.support.function_environment import APP_ID, APP_SECRET, AppSecret
from tests.support.token_server import LIFETIME, Reply, TokenServer, http, issued, oauth_error

REFRESH, OTHER = "canary-refresh", "canary-other"
BASE = {"grant_type": "refresh_token", "refresh_token": REFRESH}


def refresh(server: TokenServer, app: AppSecret, **settings: str) -> IssuedToken:
    environment = {"OAUTH2_TOKEN_URL": f"{server.url}/token?tenant=1", "APP_SECRET_ARN": app.arn, **settings}
    issuer = issuer_named("oauth2", {"ALLOW_HTTP_ISSUER": "true", **environment})
    return issuer.refresh(REFRESH, OTHER, seconds=12.5)


def fault(server: TokenServer, app: AppSecret) -> RefreshTokenError:
    with pytest.raises(RefreshTokenError) as caught:
        refresh(server, app)
    assert_clean(caught.value)
    return caught.value


def test_the_request_is_the_one_of_rfc_6749(token_endpoint: TokenServer, app_secret: AppSecret) -> None:
    refresh(token_endpoint, app_secret)
    (seen,) = token_endpoint.seen
    assert seen.line == "POST /token?tenant=1 HTTP/1.1"
    assert seen.form == BASE
    assert b64decode(seen.headers["Authorization"].removeprefix("Basic ")).decode() == f"{APP_ID}:{APP_SECRET}"


def test_credentials_are_form_encoded_before_they_become_user_and_password(
    token_endpoint: TokenServer, app_secret: AppSecret
) -> None:
    app_secret.store(json.dumps({"clientId": "a:b c", "clientSecret": "%&+/ö~"}))
    refresh(token_endpoint, app_secret)
    credentials = token_endpoint.seen[0].headers["Authorization"].removeprefix("Basic ")
    assert b64decode(credentials) == b"a%3Ab%20c:%25%26%2B%2F%C3%B6~"


def test_they_can_go_into_the_form(token_endpoint: TokenServer, app_secret: AppSecret) -> None:
    refresh(token_endpoint, app_secret, OAUTH2_CLIENT_AUTH="post")
    (seen,) = token_endpoint.seen
    assert seen.form == {**BASE, "client_id": APP_ID, "client_secret": APP_SECRET}
    assert "Authorization" not in seen.headers


def test_scope_and_extra_parameters_are_sent(token_endpoint: TokenServer, app_secret: AppSecret) -> None:
    more = {"audience": "https://api.example/", "empty": ""}
    refresh(token_endpoint, app_secret, OAUTH2_SCOPE="read write", OAUTH2_EXTRA_PARAMETERS=json.dumps(more))
    assert token_endpoint.seen[0].form == {**BASE, **more, "scope": "read write"}


def test_a_new_refresh_token_comes_along(token_endpoint: TokenServer, app_secret: AppSecret) -> None:
    token_endpoint.answer(issued(refresh_token="rotated", token_type="BEARER", scope="read"))
    assert refresh(token_endpoint, app_secret) == IssuedToken(
        access_token="access-issued", expires_in=LIFETIME, refresh_token="rotated"
    )


@pytest.mark.parametrize("members", [{"expires_in": None}, {"expires_in": None, "refresh_token": "rotated"}])
def test_a_token_of_unknown_life_is_believed_to_live_as_long_as_the_settings_say(
    members: dict[str, object], token_endpoint: TokenServer, app_secret: AppSecret
) -> None:
    token_endpoint.answer(issued(**members))
    assert refresh(token_endpoint, app_secret).expires_in == DEFAULT_LIFETIME
    assert refresh(token_endpoint, app_secret, OAUTH2_DEFAULT_LIFETIME="600").expires_in == 600
    token_endpoint.answer(http(200, b'{"access_token": "a", "expires_in": null}'))
    assert refresh(token_endpoint, app_secret).expires_in == DEFAULT_LIFETIME


@pytest.mark.parametrize("kind", ["mac", "DPoP", "", 7, ["bearer"]])
def test_a_token_of_another_kind_is_not_taken(kind: object, token_endpoint: TokenServer, app_secret: AppSecret) -> None:
    token_endpoint.answer(issued(token_type=kind))
    assert type(fault(token_endpoint, app_secret)) is IssuerProtocolException


CODES: list[tuple[str, type[RefreshTokenError]]] = [
    ("invalid_grant", ReauthorizationRequiredException),
    ("access_denied", ReauthorizationRequiredException),
    ("canary-refresh", ReauthorizationRequiredException),
    ("invalid_client", ConfigurationException),
    ("unauthorized_client", ConfigurationException),
    ("invalid_request", ConfigurationException),
    ("unsupported_grant_type", ConfigurationException),
    ("invalid_scope", ConfigurationException),
    ("server_error", IssuerUnavailableException),
    ("temporarily_unavailable", IssuerUnavailableException),
    ("slow_down", IssuerUnavailableException),
]


@pytest.mark.parametrize("status", [400, 401, 403])
@pytest.mark.parametrize(("code", "expected"), CODES)
def test_a_refusal_means_what_its_code_says(
    status: int, code: str, expected: type[RefreshTokenError], token_endpoint: TokenServer, app_secret: AppSecret
) -> None:
    token_endpoint.answer(oauth_error(status, code))
    assert type(fault(token_endpoint, app_secret)) is expected


OTHERS: list[tuple[Reply, type[RefreshTokenError]]] = [
    (http(200, b'{"error": "invalid_grant"}'), ReauthorizationRequiredException),
    (http(200, b'{"error": "invalid_client"}'), ConfigurationException),
    (http(200, b'{"error": "canary"}'), IssuerProtocolException),
    (oauth_error(404, "invalid_grant"), ReauthorizationRequiredException),
    (oauth_error(404, "canary"), IssuerProtocolException),
    (http(401, b"", WWW_Authenticate="Basic"), ConfigurationException),
    (oauth_error(500, "invalid_grant"), IssuerUnavailableException),
]


@pytest.mark.parametrize(("reply", "expected"), OTHERS, ids=[repr(reply.raw[9:12]) for reply, _ in OTHERS])
def test_a_refusal_in_another_guise_is_one(
    reply: Reply, expected: type[RefreshTokenError], token_endpoint: TokenServer, app_secret: AppSecret
) -> None:
    token_endpoint.answer(reply)
    assert type(fault(token_endpoint, app_secret)) is expected

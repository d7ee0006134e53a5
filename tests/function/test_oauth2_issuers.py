"""Figma and any OAuth 2 server on the wire. `test_issuer_contract.py` has what all issuers share."""

import json

import pytest

from refresh_token.core.grant import Grant
from refresh_token.core.ports import Issuer
from refresh_token.errors import ConfigurationException, RefreshTokenError
from refresh_token.issuers.registry import issuer_from
from tests.support.canaries import clean_fault
from tests.support.function_environment import APP_ID, APP_SECRET, AppSecret
from tests.support.token_server import TokenServer, basic, figma_error, http, oauth_error

REFRESH, OTHER_APP = "canary-refresh", "canary-other"


def issuer_at(name: str, server: TokenServer, app: AppSecret, **settings: str) -> Issuer:
    addresses = {"FIGMA_BASE_URL": server.url, "OAUTH2_TOKEN_URL": f"{server.url}/token?tenant=1"}
    always = {"ISSUER": name, "APP_SECRET_ARN": app.arn, "ALLOW_HTTP_ISSUER": "true"}
    return issuer_from({**always, **addresses, **settings})


def refresh(issuer: Issuer) -> None:
    issuer.refresh(Grant(REFRESH), OTHER_APP, seconds=12.5)


def fault(issuer: Issuer) -> type[RefreshTokenError]:
    return type(clean_fault(lambda: refresh(issuer)))


@pytest.mark.parametrize("slash", ["", "/"])
def test_figma_gets_the_request_it_documents(slash: str, token_endpoint: TokenServer, app_secret: AppSecret) -> None:
    refresh(issuer_at("figma", token_endpoint, app_secret, FIGMA_BASE_URL=f"{token_endpoint.url}{slash}"))
    (seen,) = token_endpoint.seen
    assert (seen.line, seen.form) == ("POST /v1/oauth/refresh HTTP/1.1", {"refresh_token": REFRESH})
    assert basic(seen.headers) == f"{APP_ID}:{APP_SECRET}"


def test_a_server_gets_the_standard_request(token_endpoint: TokenServer, app_secret: AppSecret) -> None:
    refresh(issuer_at("oauth2", token_endpoint, app_secret, OAUTH2_SCOPE="a b", OAUTH2_EXTRA_PARAMETERS='{"x": "ö"}'))
    (seen,) = token_endpoint.seen
    assert seen.line == "POST /token?tenant=1 HTTP/1.1"
    assert seen.form == {"grant_type": "refresh_token", "refresh_token": REFRESH, "scope": "a b", "x": "ö"}
    assert basic(seen.headers) == f"{APP_ID}:{APP_SECRET}"


def test_new_credentials_are_used_at_once(token_endpoint: TokenServer, app_secret: AppSecret) -> None:
    figma = issuer_at("figma", token_endpoint, app_secret)
    for secret in ("one", "two"):
        app_secret.store(json.dumps({"clientId": APP_ID, "clientSecret": secret}))
        refresh(figma)
    assert [basic(seen.headers) for seen in token_endpoint.seen] == [f"{APP_ID}:one", f"{APP_ID}:two"]
    assert [seen.connection for seen in token_endpoint.seen] == [1, 1], "on one connection"


def test_each_issuer_has_its_refusal_rules(token_endpoint: TokenServer, app_secret: AppSecret) -> None:
    server, figma = (issuer_at(name, token_endpoint, app_secret) for name in ("oauth2", "figma"))
    token_endpoint.answer(figma_error(400, "Invalid client credentials"))
    assert fault(figma) is ConfigurationException
    token_endpoint.answer(oauth_error(400, "invalid_scope"))
    assert fault(server) is ConfigurationException
    token_endpoint.answer(http(401, b"", WWW_Authenticate="Basic"))
    assert {fault(figma), fault(server)} == {ConfigurationException}


@pytest.mark.parametrize("stored", ["{}", '{"clientId": "canary:id", "clientSecret": "canary"}'])
def test_unusable_credentials_are_not_sent(stored: str, token_endpoint: TokenServer, app_secret: AppSecret) -> None:
    app_secret.store(stored)
    assert fault(issuer_at("figma", token_endpoint, app_secret)) is ConfigurationException
    assert token_endpoint.seen == []

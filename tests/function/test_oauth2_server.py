"""The generic issuer against a real OAuth 2 server, built with Authlib, that replaces refresh tokens."""

import json
from collections.abc import Callable, Iterator

import boto3
import pytest
from moto import mock_aws

from refresh_token.adapters.secrets_manager import secrets_manager_writer
from refresh_token.core.issued_token import IssuedToken
from refresh_token.core.ports import Issuer
from refresh_token.errors import ConfigurationException, ReauthorizationRequiredException
from refresh_token.issuers.registry import issuer_from
from tests.support.function_environment import ENVIRONMENT, UNSET
from tests.support.oauth2_server import CLIENT_ID, CLIENT_SECRET, PATH, SCOPE, OAuth2Server, oauth2_server

MakeIssuer = Callable[..., Issuer]

GOOD = {"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET}


@pytest.fixture
def server() -> Iterator[OAuth2Server]:
    with oauth2_server() as running:
        yield running


@pytest.fixture
def issuer(server: OAuth2Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeIssuer]:
    def make(credentials: dict[str, str] = GOOD, **settings: str) -> Issuer:
        secret = boto3.client("secretsmanager").create_secret(Name="app", SecretString=json.dumps(credentials))
        environment = {"OAUTH2_TOKEN_URL": f"{server.url}{PATH}", "APP_SECRET_ARN": secret["ARN"]}
        return issuer_from({"ISSUER": "oauth2", **environment, "ALLOW_HTTP_ISSUER": "true", **settings})

    for name in UNSET:
        monkeypatch.delenv(name, raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    secrets_manager_writer.cache_clear()
    with mock_aws():
        yield make
    secrets_manager_writer.cache_clear()


def refresh(issuer: Issuer, token: str | None) -> IssuedToken:
    assert token
    issued = issuer.refresh(token, None, seconds=30)
    assert isinstance(issued, IssuedToken)
    return issued


@pytest.mark.parametrize("client_auth", ["basic", "post"])
def test_each_refresh_uses_the_newest_token(client_auth: str, server: OAuth2Server, issuer: MakeIssuer) -> None:
    asked = issuer(OAUTH2_CLIENT_AUTH=client_auth, OAUTH2_SCOPE="read")
    token: str | None = server.sign_in("ada").refresh_token
    for count in range(1, 4):
        issued, live = refresh(asked, token), server.live("ada")
        assert live
        assert (issued.access_token, issued.refresh_token) == (live.access_token, live.refresh_token)
        assert (issued.expires_in, server.issued("ada")) == (3600, count)
        token = issued.refresh_token
    assert server.server.reused == []


def test_a_reused_token_revokes_the_family(server: OAuth2Server, issuer: MakeIssuer) -> None:
    asked, first = issuer(), server.sign_in("ada").refresh_token
    second = refresh(asked, first).refresh_token
    for token in (first, second, first, "rt_nobody"):
        with pytest.raises(ReauthorizationRequiredException):
            refresh(asked, token)
    assert server.live("ada") is None


@pytest.mark.parametrize("client_auth", ["basic", "post"])
@pytest.mark.parametrize("credentials", [{**GOOD, "clientSecret": "wrong"}, {**GOOD, "clientId": "nobody"}])
def test_wrong_app_credentials_spend_no_token(
    credentials: dict[str, str], client_auth: str, server: OAuth2Server, issuer: MakeIssuer
) -> None:
    asked = issuer(credentials, OAUTH2_CLIENT_AUTH=client_auth)
    with pytest.raises(ConfigurationException, match="tokenctl app-credentials"):
        refresh(asked, server.sign_in("ada").refresh_token)
    assert server.live("ada")


def test_an_ungranted_scope_is_a_wrong_setting(server: OAuth2Server, issuer: MakeIssuer) -> None:
    with pytest.raises(ConfigurationException, match="invalid_scope"):
        refresh(issuer(OAUTH2_SCOPE=f"{SCOPE} admin"), server.sign_in("ada").refresh_token)


def test_an_unstated_lifetime_is_one_hour(server: OAuth2Server, issuer: MakeIssuer) -> None:
    server.server.expires_in = None
    issued = refresh(issuer(), server.sign_in("ada").refresh_token)
    assert (issued.expires_in, issued.default_lifetime) == (None, 3600)

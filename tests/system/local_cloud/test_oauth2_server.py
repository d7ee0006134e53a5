"""The generic issuer against a real OAuth 2 server, built with Authlib, that replaces refresh tokens."""

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from refresh_token.adapters.secrets_manager import secrets_manager_writer
from refresh_token.errors import ConfigurationException, ReauthorizationRequiredException
from refresh_token.issuers.registry import issuer_named
from refresh_token.ports import Issuer
from tests.support.function_environment import ENVIRONMENT, UNSET
from tests.support.oauth2_server import CLIENT_ID, CLIENT_SECRET, PATH, SCOPE, OAuth2Server, oauth2_server

GOOD = {"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET}


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in UNSET:
        monkeypatch.delenv(name, raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    secrets_manager_writer.cache_clear()
    with mock_aws():
        yield
    secrets_manager_writer.cache_clear()


@pytest.fixture
def server() -> Iterator[OAuth2Server]:
    with oauth2_server() as running:
        yield running


def issuer(server: OAuth2Server, credentials: dict[str, str] = GOOD, **settings: str) -> Issuer:
    secret = boto3.client("secretsmanager").create_secret(Name="app", SecretString=json.dumps(credentials))
    environment = {"OAUTH2_TOKEN_URL": f"{server.url}{PATH}", "APP_SECRET_ARN": secret["ARN"]}
    return issuer_named("oauth2", {**environment, "ALLOW_HTTP_ISSUER": "true", **settings})


@pytest.mark.parametrize("client_auth", ["basic", "post"])
def test_a_chain_of_refreshes_each_with_the_refresh_token_of_the_one_before(
    client_auth: str, server: OAuth2Server
) -> None:
    asked = issuer(server, OAUTH2_CLIENT_AUTH=client_auth, OAUTH2_SCOPE="read")
    token = server.sign_in("ada").refresh_token
    for count in range(1, 4):
        issued = asked.refresh(token, None, seconds=30)
        live = server.live("ada")
        assert live
        assert (issued.access_token, issued.refresh_token) == (live.access_token, live.refresh_token)
        assert (issued.expires_in, server.issued("ada")) == (3600, count)
        assert issued.refresh_token
        token = issued.refresh_token
    assert server.server.reused == []


def test_a_refresh_token_that_comes_again_revokes_the_family_and_takes_a_person(server: OAuth2Server) -> None:
    asked = issuer(server)
    first = server.sign_in("ada").refresh_token
    second = asked.refresh(first, None, seconds=30).refresh_token
    assert second
    for token in (first, second, first):
        with pytest.raises(ReauthorizationRequiredException):
            asked.refresh(token, None, seconds=30)
    assert server.live("ada") is None


@pytest.mark.parametrize("client_auth", ["basic", "post"])
@pytest.mark.parametrize("credentials", [{**GOOD, "clientSecret": "wrong"}, {**GOOD, "clientId": "nobody"}])
def test_wrong_app_credentials_are_not_a_persons_matter_and_cost_no_refresh_token(
    credentials: dict[str, str], client_auth: str, server: OAuth2Server
) -> None:
    with pytest.raises(ConfigurationException, match="tokenctl app-credentials"):
        issuer(server, credentials, OAUTH2_CLIENT_AUTH=client_auth).refresh(
            server.sign_in("ada").refresh_token, None, seconds=30
        )
    assert server.live("ada")


def test_a_scope_that_was_not_granted_is_a_matter_of_settings(server: OAuth2Server) -> None:
    with pytest.raises(ConfigurationException, match="invalid_scope"):
        issuer(server, OAUTH2_SCOPE=f"{SCOPE} admin").refresh(server.sign_in("ada").refresh_token, None, seconds=30)


def test_a_token_that_nobody_issued_takes_a_person(server: OAuth2Server) -> None:
    with pytest.raises(ReauthorizationRequiredException):
        issuer(server).refresh("rt_nobody", None, seconds=30)


def test_a_server_that_does_not_say_how_long_a_token_lives_is_believed_an_hour(server: OAuth2Server) -> None:
    server.server.expires_in = None
    assert issuer(server).refresh(server.sign_in("ada").refresh_token, None, seconds=30).expires_in == 3600

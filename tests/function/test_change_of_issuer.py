"""A stack that is deployed with another issuer: what was given to one issuer is never sent to the other."""

import json
from collections.abc import Callable

import pytest

from refresh_token.errors import ConfigurationException
from tests.support.canaries import assert_clean
from tests.support.events import CONSUMER, FORCE, TICK, Event, bare
from tests.support.function_environment import APP_ID, APP_SECRET, AppSecret, forget_clients
from tests.support.moto_function import ACCESS, REFRESH, MotoFunction
from tests.support.token_server import TokenServer, token_server

Deploy = Callable[[str, TokenServer], dict[str, str]]
"""Deploys the stack with an issuer at a server; returns the issuer's `issuedBy`."""

MOVES = [("oauth2", "oauth2"), ("figma", "oauth2"), ("oauth2", "figma"), ("oauth2", "amplify"), ("amplify", "figma")]


@pytest.fixture
def redeploy(deployment: MotoFunction, app_secret: AppSecret, monkeypatch: pytest.MonkeyPatch) -> Deploy:
    def deploy(name: str, server: TokenServer) -> dict[str, str]:
        variables = {
            "ISSUER": name,
            "APP_SECRET_ARN": app_secret.arn,
            "ALLOW_HTTP_ISSUER": "true",
            "FIGMA_BASE_URL": server.url,
            "OAUTH2_TOKEN_URL": f"{server.url}/token",
        }
        for variable, value in variables.items():
            monkeypatch.setenv(variable, value)
        forget_clients()
        return {"issuer": name, "host": "amplifyuibuilder" if name == "amplify" else f"127.0.0.1:{server.port}"}

    assert deployment.handler
    return deploy


def server_of(issuer: str, deployment: MotoFunction, other: TokenServer) -> TokenServer:
    return deployment.issuer if issuer == "amplify" else other


def refused(deployment: MotoFunction, event: Event, *words: str) -> None:
    with pytest.raises(ConfigurationException) as caught:
        deployment.invoke(event)
    assert_clean(caught.value)
    assert [word for word in words if word not in str(caught.value)] == []


@pytest.mark.parametrize(("old", "new"), MOVES)
def test_a_pair_stays_with_its_issuer(
    old: str, new: str, deployment: MotoFunction, redeploy: Deploy, token_endpoint: TokenServer
) -> None:
    with token_server() as another:
        before, after = server_of(old, deployment, token_endpoint), server_of(new, deployment, another)
        deployment.seed("mandatory")
        first = redeploy(old, before)
        deployment.invoke(FORCE)
        assert deployment.stored()[1]["issuedBy"] == first
        assert len(before.seen) == 1
        second = redeploy(new, after)
        for event in (FORCE, bare(REFRESH)):
            refused(deployment, event, *first.values(), *second.values(), "tokenctl authorize --stage")
        deployment.seed("mandatory", issuedBy=first)
        assert deployment.invoke(CONSUMER)["state"] == "degraded"
        refused(deployment, TICK, "tokenctl authorize --stage")
        assert after.seen == []
        redeploy(old, before)
        assert deployment.invoke(TICK)["outcome"] == "refreshed"


@pytest.mark.parametrize(("old", "new"), [move for move in MOVES if "amplify" not in move])
def test_credentials_stay_with_their_issuer(
    old: str, new: str, deployment: MotoFunction, redeploy: Deploy, app_secret: AppSecret
) -> None:
    with token_server() as one, token_server() as another:
        first, second = redeploy(old, one), redeploy(new, another)
        app = {"clientId": APP_ID, "clientSecret": APP_SECRET}
        app_secret.store(json.dumps({**app, "issuedBy": first}))
        deployment.seed("mandatory")
        for event in (FORCE, bare("canary-another")):
            refused(deployment, event, *first.values(), *second.values(), "tokenctl app-credentials --stage")
        app_secret.store(json.dumps(app))
        deployment.seed("mandatory", issuedBy=first)
        refused(deployment, bare("canary-another"), *first.values(), "tokenctl app-credentials --stage")
        assert deployment.invoke(CONSUMER)["accessToken"] == ACCESS
        app_secret.store(json.dumps({**app, "issuedBy": first}))
        deployment.seed("expired")
        refused(deployment, CONSUMER, *first.values(), "tokenctl app-credentials --stage")
        assert another.seen == []
        app_secret.store(json.dumps({**app, "issuedBy": second}))
        assert deployment.invoke(CONSUMER)["state"] == "fresh", "nothing was sent, so nobody has to wait"
        assert [seen.form["refresh_token"] for seen in another.seen] == [REFRESH]

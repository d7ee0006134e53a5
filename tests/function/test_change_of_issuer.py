"""A stack that is deployed with another issuer: the credentials of one issuer are never sent to the other.

tests/function/test_refresher.py has the same for the pair, tests/system/test_migration.py the change as a whole.
"""

import json
from collections.abc import Callable

import pytest

from refresh_token.errors import ConfigurationException
from tests.support.canaries import assert_clean
from tests.support.events import CONSUMER, FORCE, Event, bare
from tests.support.function_environment import APP_ID, APP_SECRET, AppSecret, forget_clients
from tests.support.moto_function import ACCESS, REFRESH, MotoFunction
from tests.support.token_server import TokenServer, token_server

Deploy = Callable[[str, TokenServer], dict[str, str]]
"""Deploys the stack with an issuer at a server; returns the issuer's `issuedBy`."""


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
        return {"issuer": name, "host": f"127.0.0.1:{server.port}"}

    assert deployment.handler
    return deploy


def refused(deployment: MotoFunction, event: Event, *words: str) -> None:
    with pytest.raises(ConfigurationException) as caught:
        deployment.invoke(event)
    assert_clean(caught.value)
    assert [word for word in words if word not in str(caught.value)] == []


@pytest.mark.parametrize(("old", "new"), [("oauth2", "oauth2"), ("figma", "oauth2"), ("oauth2", "figma")])
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

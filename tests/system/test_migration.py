"""From Amplify to Figma with an app of one's own, and back, on a live stack (docs/issuers.md): no consumer notices.

On the way back, the stack uses a provider that one TOML file describes, and a server that nobody here wrote.
"""

import json
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import urllib3

from local.cdk_cli import CdkFailedError
from local.deployment import TOKENCTL, Deployment, deploy
from local.standin import CLIENT_ID, CLIENT_SECRET
from tests.support import oauth2_server as oauth2_app
from tests.support import oidc_provider as oidc
from tests.support.child_process import environment
from tests.support.consent import allowed, asked
from tests.support.deployed_stack import put_secret
from tests.support.events import FORCE, TICK
from tests.support.oauth2_server import oauth2_server
from tests.support.oidc_provider import oidc_provider
from tests.support.played_demo import PlayedDemo
from tests.support.windows import FRESH, MANDATORY

pytestmark = pytest.mark.xdist_group("stack")

LONG_AGO = "2026-01-01T00:00:00Z"
"""The function leaves a token alone that was issued seconds ago."""

AMPLIFYS_APP, ADA = "an-app-of-amplifys", "ada@example.com"


@contextmanager
def asked_all_the_time(played: PlayedDemo) -> Iterator[Counter[str]]:
    """Call the consumer, and the function itself, again and again; count the answers."""
    stack, over, seen = played.deployment, threading.Event(), Counter[str]()

    def ask() -> None:
        while not over.wait(0.3):
            used = stack.invoke({}, function_name=played.consumer)
            seen[f"consumer: {used.payload.get('status', used.payload)}"] += 1
            told = stack.invoke({}, function_name=stack.outputs["FunctionAliasArn"])
            seen["asked: token" if stack.cloud.standin.accepts(told.payload.get("accessToken", "")) else str(told)] += 1

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def live_version(stack: Deployment) -> str:
    answer = stack.cloud.client("lambda").get_alias(FunctionName=stack.outputs["FunctionName"], Name="live")
    return str(answer["FunctionVersion"])


def calls(stack: Deployment, operation: str) -> list[int | None]:
    return [call.status for call in stack.cloud.standin.calls(operation)]


def sign_in(stack: Deployment, *options: str, allow: Callable[[str], str] = allowed) -> None:
    """Sign in with tokenctl, and allow it as the person at the browser does: `allow` returns where that ends."""
    words = ["authorize", "--stage", "local", "--yes", "--no-browser", *options]
    with subprocess.Popen(
        [*TOKENCTL, *words], env=stack.cloud.env | environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        address = next(line.strip() for line in process.stdout if line.startswith("http"))
        urllib3.request("GET", allow(address), retries=False, timeout=60)
        process.communicate()
    assert process.returncode == 0


def used(played: PlayedDemo) -> dict[str, Any]:
    answer: dict[str, Any] = played.deployment.invoke({}, function_name=played.consumer).payload
    return answer


PROFILE = """
name = "acme"
title = "Acme"
grant = "refresh_token"

[params.tenant]
about = "the customer's name"

[address]
authorize = "SERVER/{tenant}/authorize"
token = "SERVER/{tenant}/token"

[sign_in]
scopes = ["read"]
parameters = { prompt = "consent" }
"""


def check_a_profile(stack: Deployment, folder: Path) -> None:
    """Deploy a provider that only a file describes, sign in there, and refresh three times."""
    with oauth2_server() as server:

        def allow(address: str) -> str:
            terms = asked(address)
            assert (urlsplit(address).path, terms["scope"], terms["prompt"]) == (
                "/ada/authorize",
                "read write",
                "consent",
            )
            code = server.allow("ada", terms["redirect_uri"], terms["code_challenge"])
            return f"{terms['redirect_uri']}?{urlencode({'code': code, 'state': terms['state']})}"

        (folder / "acme.toml").write_text(PROFILE.replace("SERVER", server.url))
        given = {"issuer_params": '{"tenant": "ada"}', "issuer_scope": "write"}
        deploy(stack.cloud, context={"issuer": str(folder / "acme.toml"), **given})
        app = {"clientId": oauth2_app.CLIENT_ID, "clientSecret": oauth2_app.CLIENT_SECRET}
        stack.tokenctl("app-credentials", "--yes", stdin=json.dumps(app))
        sign_in(stack, allow=allow)
        pairs = [stack.current()[1]]
        assert (pairs[0]["provider"], pairs[0]["scope"]) == ("acme", "read write")
        for _ in range(3):
            stack.tokenctl("refresh", "--yes")
            pairs.append(stack.current()[1])
        live = server.live("ada")
        assert live
        assert (pairs[-1]["accessToken"], pairs[-1]["refreshToken"]) == (live.access_token, live.refresh_token)
        assert (len({pair["refreshToken"] for pair in pairs}), server.issued("ada")) == (4, 3)


def check_a_rotating_server(stack: Deployment, _folder: Path) -> None:
    """Deploy a server that replaces refresh tokens and revokes the grant of a spent one, and let it do both."""

    def refused(refresh_token: str) -> bool:
        put_secret(stack, SecretString=json.dumps({"refreshToken": refresh_token}))
        return bool(stack.invoke(TICK).payload.get("errorType") == "ReauthorizationRequiredException")

    with oidc_provider() as server:
        deploy(stack.cloud, context={"issuer": "oauth2", "oauth2_token_url": f"{server.url}/token"})
        assert "`tokenctl authorize" in stack.invoke(FORCE).payload["errorMessage"]
        app = {"clientId": oidc.CLIENT_ID, "clientSecret": oidc.CLIENT_SECRET}
        stack.tokenctl("app-credentials", "--yes", stdin=json.dumps(app))
        tokens = [server.sign_in()]
        stack.tokenctl("seed", "--yes", stdin=json.dumps({"refreshToken": tokens[0]}))
        for _ in range(3):
            assert server.accepts(stack.invoke(FORCE).payload["accessToken"])
            tokens.append(stack.current()[1]["refreshToken"])
        assert len(set(tokens)) == 4
        assert [refused(token) for token in (tokens[0], tokens[-1])] == [True, True], "the spent one ends the grant"
        revoked = server.sign_in()
        server.revoke(revoked)
        assert refused(revoked)
        assert not refused(server.sign_in())


def check_that_the_issuer_is_not_dropped(stack: Deployment) -> None:
    refused = r"issuer: oauth2 -> amplify\n(.|\n)*-c issuer=oauth2 .*-c confirm=issuer\."
    with pytest.raises(CdkFailedError, match=refused):
        stack.cloud.cdk().deploy(context={"stage": "local"})


def test_no_consumer_notices_figma_or_the_way_back(played: PlayedDemo, stack: Deployment, tmp_path: Path) -> None:
    cloud, standin = stack.cloud, stack.cloud.standin
    secrets = cloud.client("secretsmanager")
    stack.seed(standin.grant(client_id=AMPLIFYS_APP, user=ADA), expires_in=FRESH)
    first = stack.invoke(FORCE).payload["versionId"]
    live = live_version(stack)

    with asked_all_the_time(played) as seen:
        switched = deploy(cloud, context={"issuer": "figma"})
        app_secret = switched.outputs["AppSecretArn"]
        assert switched.outputs == {**stack.outputs, "AppSecretArn": app_secret}
        assert stack.current()[0] == first, "the pair is where it was"
        assert live_version(stack) != live

        # Before somebody has signed in to that app, a refresh fails with an instruction, and Amplify's refresh token
        # stays with Amplify. Consumers get the token of Amplify's app as long as it lives.
        assert "`tokenctl authorize" in stack.invoke(FORCE).payload["errorMessage"]
        assert stack.invoke(TICK).payload["versionId"] == first
        app = json.dumps({"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET})
        assert CLIENT_SECRET not in stack.tokenctl("app-credentials", "--yes", stdin=app)
        assert calls(stack, "FigmaRefresh") == []

        sign_in(stack, "--authorize-url", f"{standin.url}/oauth")
        _, pair = stack.current()
        put_secret(stack, SecretString=json.dumps({**pair, "refreshedAt": LONG_AGO}))
        signed_in, pair = stack.current()
        assert standin.accepts(pair["accessToken"])
        report = stack.invoke(TICK).payload
        assert (report["outcome"], report["versionId"]) == ("fresh", signed_in)
    assert set(seen) == {"consumer: 200", "asked: token"}
    assert min(seen.values()) > 10, seen

    standin.revoke(user=ADA)  # Amplify's app is not needed any more
    assert (used(played)["status"], used(played)["versionId"]) == (200, signed_in)
    standin.kill()
    assert (used(played)["status"], calls(stack, "FigmaRefresh")) == (200, [200])
    stack.seed(standin.grants()[0], expires_in=MANDATORY)
    assert stack.invoke(TICK).payload["outcome"] == "refreshed"
    assert (calls(stack, "FigmaRefresh"), calls(stack, "RefreshToken")) == ([200, 200], [200])

    _, pair = stack.current()
    for check in (check_a_profile, check_a_rotating_server):
        check(stack, tmp_path)
    put_secret(stack, SecretString=json.dumps(pair))
    kept, _ = stack.current()
    check_that_the_issuer_is_not_dropped(stack)
    with asked_all_the_time(played) as seen:
        assert {**deploy(cloud).outputs, "ClientLayerArn": ""} == {**stack.outputs, "ClientLayerArn": ""}, (
            "it names Acme"
        )
        assert stack.current()[0] == kept
        assert "`tokenctl authorize" in stack.invoke(FORCE).payload["errorMessage"]
        assert calls(stack, "RefreshToken") == [200], "Figma's refresh token stays with Figma"
        back = stack.seed(standin.grant(client_id=AMPLIFYS_APP, user=ADA), expires_in=FRESH)
    assert set(seen) == {"consumer: 200", "asked: token"}
    standin.revoke()
    assert used(played)["versionId"] == back
    standin.kill(user=ADA)
    assert (used(played)["status"], calls(stack, "RefreshToken")) == (200, [200, 200])
    assert "clientSecret" in secrets.get_secret_value(SecretId=app_secret)["SecretString"], "it outlives the issuer"
    secrets.delete_secret(SecretId=app_secret, ForceDeleteWithoutRecovery=True)

"""What people do with a deployed stack, done to the local cloud: deploy, seed, invoke, watch. For demo and tests."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from local.cdk_cli import ROOT, say_nothing
from local.cloud import LocalCloud
from local.standin.grants import Grant

STACK = "RefreshToken-local"
PUBLISHED = "/RefreshToken/local"
CONSUMER_STACK = "TokenConsumer"
CONSUMER_APP = f"{sys.executable} -m local.consumer.app"
TOKENCTL = (sys.executable, "-m", "tokenctl")
IMPORTABLE = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "lambda_src")])}
"""What does the same as installing the checkout."""


class TokenctlFailedError(RuntimeError):
    """A command of the operator's CLI failed; the message holds what it said."""


@dataclass(frozen=True)
class Answer:
    """What Lambda's Invoke answered: the payload, and whether it is an error."""

    payload: Any
    failed: bool


@dataclass(frozen=True)
class Deployment:
    """The stack in the local cloud; `outputs` are those of contract 4."""

    cloud: LocalCloud
    outputs: dict[str, str]

    def seed(self, grant: Grant, *, expires_in: timedelta, **more: object) -> str:
        """Store a grant's pair, expiring so soon; return the version. Quicker than `tokenctl seed`, for tests."""
        stored = self.cloud.client("secretsmanager").put_secret_value(
            SecretId=self.outputs["SecretArn"], SecretString=pair_of(grant, expires_in=expires_in, **more)
        )
        return str(stored["VersionId"])

    def tokenctl(self, command: str, *options: str, stdin: str = "", width: int = 120) -> str:
        """Run a command of the operator's CLI on this stack; return what it prints. Raises `TokenctlFailedError`."""
        done = subprocess.run(
            [*TOKENCTL, command, "--stage", "local", *options],
            env=self.cloud.env | IMPORTABLE | {"COLUMNS": str(width)},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise TokenctlFailedError(f"`tokenctl {command}` ended with {done.returncode}:\n{done.stderr}")
        return done.stdout

    def current(self) -> tuple[str, dict[str, Any]]:
        """Return the current version and its content."""
        value = self.cloud.client("secretsmanager").get_secret_value(
            SecretId=self.outputs["SecretArn"], VersionStage="AWSCURRENT"
        )
        return value["VersionId"], json.loads(value["SecretString"])

    def wait_for_another_version(
        self, version_id: str, *, seconds: float, on_wait: Callable[[float], None] = lambda _: None
    ) -> str:
        """Wait until another version is current; return it. Raises `TimeoutError` after `seconds`."""
        start = time.monotonic()
        while (waited := time.monotonic() - start) < seconds:
            current, _ = self.current()
            if current != version_id:
                return current
            on_wait(waited)
            time.sleep(0.5)
        raise TimeoutError(f"version {version_id} was still current after {seconds:.0f} seconds")

    def invoke(self, event: object, *, function_name: str | None = None) -> Answer:
        """Invoke our function, or another, and wait for its answer."""
        answer = self.cloud.client("lambda").invoke(
            FunctionName=function_name or self.outputs["FunctionName"], Payload=json.dumps(event)
        )
        return Answer(json.load(answer["Payload"]), failed="FunctionError" in answer)


def pair_of(grant: Grant, *, expires_in: timedelta, **more: object) -> str:
    """Return a grant's pair as the JSON that operators store, expiring so soon."""
    pair = {
        "accessToken": grant.access_token,
        "refreshToken": grant.refresh_token,
        "clientId": grant.client_id,
        "expiresAt": (datetime.now(UTC) + expires_in).isoformat(),
        **more,
    }
    return json.dumps(pair)


def deploy(
    cloud: LocalCloud, *, context: Mapping[str, str] | None = None, on_line: Callable[[str], None] = say_nothing
) -> Deployment:
    """Deploy the stage `local` with its issuer calls sent to the stand-in. Raises `CdkFailedError`."""
    outputs = cloud.cdk(on_line=on_line).deploy(context=settings(cloud, context))
    return Deployment(cloud, outputs[STACK])


def settings(cloud: LocalCloud, context: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the CDK context of `deploy`: the issuer, if it is Amplify or Figma, is the stand-in."""
    given = {"stage": "local", **(context or {})}
    at_standin = {"amplify": "amplifyuibuilder_endpoint_url", "figma": "figma_base_url"}
    key = at_standin.get(given.get("issuer", "amplify"))
    return {**({key: cloud.standin.url} if key else {}), **given}


def deploy_consumer(deployment: Deployment, *, on_line: Callable[[str], None] = say_nothing) -> str:
    """Deploy the consumer stack beside ours; return its function's name. Raises `CdkFailedError`."""
    cloud = deployment.cloud
    context = {"published": PUBLISHED, "figma_url": cloud.standin.url}
    cdk = cloud.cdk(app_folder=ROOT, app=CONSUMER_APP, on_line=on_line)
    return cdk.deploy(context=context)[CONSUMER_STACK]["ConsumerName"]

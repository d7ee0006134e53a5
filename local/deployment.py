"""Deploys the stack to the local cloud, and offers what people do with it: seed, invoke, watch. For demo and tests."""

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
"""Has the same effect as installing the checkout."""


class TokenctlFailedError(RuntimeError):
    """A `tokenctl` command failed. The message holds what it printed."""


@dataclass(frozen=True)
class Answer:
    """The answer of Lambda's Invoke: the payload, and whether it is an error."""

    payload: Any
    failed: bool


@dataclass(frozen=True)
class Deployment:
    """The stack in the local cloud, with its outputs."""

    cloud: LocalCloud
    outputs: dict[str, str]

    def seed(self, grant: Grant, *, expires_in: timedelta, **more: object) -> str:
        """Store a grant's pair, which expires in `expires_in`, and return its version. Faster than `tokenctl seed`."""
        stored = self.cloud.client("secretsmanager").put_secret_value(
            SecretId=self.outputs["SecretArn"], SecretString=pair_of(grant, expires_in=expires_in, **more)
        )
        return str(stored["VersionId"])

    def tokenctl(self, command: str, *options: str, stdin: str = "", width: int = 120) -> str:
        """Run a `tokenctl` command on this stack and return what it prints. Raises `TokenctlFailedError`."""
        done = subprocess.run(
            [*TOKENCTL, command, "--stage", "local", *options],
            env=self.cloud.env | IMPORTABLE | {"COLUMNS": str(width)},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise TokenctlFailedError(f"`tokenctl {command}` failed with exit code {done.returncode}:\n{done.stderr}")
        return done.stdout

    def current(self) -> tuple[str, dict[str, Any]]:
        """Return the secret's current version and its content."""
        value = self.cloud.client("secretsmanager").get_secret_value(
            SecretId=self.outputs["SecretArn"], VersionStage="AWSCURRENT"
        )
        return value["VersionId"], json.loads(value["SecretString"])

    def wait_for_another_version(self, version_id: str, *, seconds: float) -> str:
        """Wait until another version is current, and return it. Raises `TimeoutError` after `seconds`."""
        start = time.monotonic()
        while time.monotonic() - start < seconds:
            current, _ = self.current()
            if current != version_id:
                return current
            time.sleep(0.5)
        raise TimeoutError(f"Version {version_id} is still current after {seconds:.0f} seconds.")

    def invoke(self, event: object, *, function_name: str | None = None) -> Answer:
        """Invoke the refresh function, or another one, and wait for its answer."""
        answer = self.cloud.client("lambda").invoke(
            FunctionName=function_name or self.outputs["FunctionName"], Payload=json.dumps(event)
        )
        return Answer(json.load(answer["Payload"]), failed="FunctionError" in answer)


def pair_of(grant: Grant, *, expires_in: timedelta, **more: object) -> str:
    """Return a grant's pair, which expires in `expires_in`, as the JSON that operators store."""
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
    """Deploy the stage `local`, whose issuer is the stand-in. Raises `CdkFailedError`."""
    outputs = cloud.cdk(on_line=on_line).deploy(context=settings(cloud, context))
    return Deployment(cloud, outputs[STACK])


def settings(cloud: LocalCloud, context: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the CDK context of `deploy`, which makes the stand-in the issuer if that is Amplify or Figma."""
    given = {"stage": "local", **(context or {})}
    at_standin = {"amplify": "amplifyuibuilder_endpoint_url", "figma": "figma_base_url"}
    key = at_standin.get(given.get("issuer", "amplify"))
    return {**({key: cloud.standin.url} if key else {}), **given}


def deploy_consumer(deployment: Deployment, *, on_line: Callable[[str], None] = say_nothing) -> str:
    """Deploy the consumer stack, and return its function's name. Raises `CdkFailedError`."""
    cloud = deployment.cloud
    context = {"published": PUBLISHED, "figma_url": cloud.standin.url}
    cdk = cloud.cdk(app_folder=ROOT, app=CONSUMER_APP, on_line=on_line)
    return cdk.deploy(context=context)[CONSUMER_STACK]["ConsumerName"]

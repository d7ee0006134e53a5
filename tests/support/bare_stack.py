"""A stack with only what tokenctl reads: quicker to deploy than a real one, and for any issuer."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from local.cloud import LocalCloud
from local.standin import CLIENT_ID, CLIENT_SECRET
from tokenctl.stack.target import LIVE

BOOTSTRAP = "/cdk-bootstrap/qualified/version"
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)


def template(function: str | None) -> dict[str, Any]:
    """Return a stack with one secret, or with a second one for the app's credentials if it names a function."""
    parameter = {"Type": "String", "Default": BOOTSTRAP}
    names = ["Secret", *(["AppSecret"] if function else [])]
    outputs: dict[str, Any] = {f"{name}Arn": {"Value": {"Ref": name}} for name in names}
    if function:
        outputs["FunctionName"] = {"Value": function}
    resources = {name: {"Type": "AWS::SecretsManager::Secret"} for name in names}
    return {"Parameters": {"BootstrapVersion": parameter}, "Resources": resources, "Outputs": outputs}


@dataclass
class Stack:
    """A bare stack. With another issuer than `amplify` it has a function, which is never called."""

    cloud: LocalCloud
    issuer: str = "amplify"
    stage: str = field(default_factory=lambda: f"s{uuid.uuid4().hex[:8]}")

    @property
    def name(self) -> str:
        return f"RefreshToken-{self.stage}"

    def output(self, key: str) -> str:
        stacks = self.cloud.client("cloudformation").describe_stacks(StackName=self.name)
        return str({each["OutputKey"]: each["OutputValue"] for each in stacks["Stacks"][0]["Outputs"]}[key])

    @property
    def secret(self) -> str:
        return self.output("SecretArn")

    def stored(self) -> dict[str, Any] | None:
        """Return what the secret holds, None if it is empty."""
        text = self.cloud.client("secretsmanager").get_secret_value(SecretId=self.secret)["SecretString"]
        document: dict[str, Any] | None = json.loads(text) if text else None
        return document

    def put(self, document: dict[str, Any]) -> None:
        self.cloud.client("secretsmanager").put_secret_value(SecretId=self.secret, SecretString=json.dumps(document))

    def put_app(self, client_id: str = CLIENT_ID, client_secret: str = CLIENT_SECRET, **more: object) -> None:
        text = json.dumps({"clientId": client_id, "clientSecret": client_secret, **more})
        self.cloud.client("secretsmanager").put_secret_value(SecretId=self.output("AppSecretArn"), SecretString=text)

    def stored_app(self) -> dict[str, Any]:
        """Return the app's credentials."""
        arn = self.output("AppSecretArn")
        text = self.cloud.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
        return dict(json.loads(text))

    def _create(self) -> None:
        function = self.name if self.issuer != "amplify" else None
        cloudformation = self.cloud.client("cloudformation")
        cloudformation.create_stack(StackName=self.name, TemplateBody=json.dumps(template(function)))
        cloudformation.get_waiter("stack_create_complete").wait(StackName=self.name, WaiterConfig={"Delay": 0.1})
        if function:
            self.cloud.client("lambda").create_function(
                FunctionName=function,
                Runtime="python3.13",
                Role="arn:aws:iam::000000000000:role/none",
                Handler="x.y",
                Code={"ZipFile": EMPTY_ZIP},
                Environment={"Variables": {"ISSUER": self.issuer, "FIGMA_BASE_URL": self.cloud.standin.url}},
            )
            self.cloud.client("lambda").create_alias(FunctionName=function, Name=LIVE, FunctionVersion="$LATEST")

    def set_environment(self, **variables: str) -> None:
        environment = {"Variables": variables}
        self.cloud.client("lambda").update_function_configuration(FunctionName=self.name, Environment=environment)

    @contextmanager
    def deployed(self) -> Iterator[Self]:
        self._create()
        try:
            yield self
        finally:
            self._delete()

    def _delete(self) -> None:
        self.cloud.client("cloudformation").delete_stack(StackName=self.name)
        if self.issuer != "amplify":
            self.cloud.client("lambda").delete_function(FunctionName=self.name)

"""A fleet with only what tokenctl reads and writes: quicker to deploy than a real one, and for any providers."""

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

from local.cloud import LocalCloud
from refresh_token.fleet.table import PK
from tests.support.bare_stack import EMPTY_ZIP
from tests.support.fleet import FleetTable, create_fleet_table

ACME: Mapping[str, Any] = {
    "ISSUER": "oauth2",
    "OAUTH2_TOKEN_URL": "https://acme.example/token",
    "APP_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:app",
}
ONE = {"oauth2": ACME}
DAY = 86_400


@dataclass
class BareFleet:
    """A stack with the outputs of a fleet. Its function is never called."""

    cloud: LocalCloud
    stage: str = field(default_factory=lambda: f"f{uuid.uuid4().hex[:8]}")

    @property
    def name(self) -> str:
        return f"RefreshToken-{self.stage}"

    @cached_property
    def table(self) -> FleetTable:
        return FleetTable(self.cloud.client("dynamodb"), self.name)

    @cached_property
    def key(self) -> str:
        return str(self.cloud.client("kms").create_key()["KeyMetadata"]["Arn"])

    def reset(self) -> None:
        """Delete every connection, and serve one provider."""
        for name in self.names():
            self.table.client.delete_item(TableName=self.name, Key={PK: {"S": name}})
        self.set()

    def set(self, providers: Mapping[str, Mapping[str, Any]] = ONE, **variables: str) -> None:
        """Set the providers, and variables of the function beside those that every one has."""
        usual = {
            "CONNECTIONS_TABLE": self.name,
            "CONNECTIONS_KEY": self.key,
            "PROVIDERS": json.dumps(providers),
            "ADVISORY_WINDOW_SECONDS": str(7 * DAY),
            "MANDATORY_WINDOW_SECONDS": str(DAY),
            **variables,
        }
        self.cloud.client("lambda").update_function_configuration(
            FunctionName=self.name, Environment={"Variables": usual}
        )

    def opened(self, name: str) -> str:
        """Return the refresh token of a connection."""
        pieces: Any = self.table.item(name)["refreshToken"]
        kms = self.cloud.client("kms")
        context = {"connection": name}
        return b"".join(
            kms.decrypt(CiphertextBlob=piece, EncryptionContext=context)["Plaintext"] for piece in pieces
        ).decode()

    def names(self) -> list[str]:
        """Return the name of every connection in the table."""
        pages = self.cloud.client("dynamodb").get_paginator("scan").paginate(TableName=self.name)
        return sorted(item[PK]["S"] for page in pages for item in page["Items"])

    @contextmanager
    def deployed(self) -> Iterator[Self]:
        functions, stacks = self.cloud.client("lambda"), self.cloud.client("cloudformation")
        create_fleet_table(self.cloud.client("dynamodb"), self.name)
        function = functions.create_function(
            FunctionName=self.name,
            Runtime="python3.13",
            Role="arn:aws:iam::000000000000:role/none",
            Handler="x.y",
            Code={"ZipFile": EMPTY_ZIP},
        )
        functions.create_alias(FunctionName=self.name, Name="live", FunctionVersion="$LATEST")
        self.set()
        outputs = {"FunctionArn": f"{function['FunctionArn']}:live", "TableName": self.name, "KeyArn": self.key}
        template = {
            "Resources": {"Secret": {"Type": "AWS::SecretsManager::Secret"}},
            "Outputs": {f"Connections{key}": {"Value": value} for key, value in outputs.items()},
        }
        stacks.create_stack(StackName=self.name, TemplateBody=json.dumps(template))
        stacks.get_waiter("stack_create_complete").wait(StackName=self.name, WaiterConfig={"Delay": 0.1})
        try:
            yield self
        finally:
            stacks.delete_stack(StackName=self.name)
            functions.delete_function(FunctionName=self.name)
            self.cloud.client("dynamodb").delete_table(TableName=self.name)

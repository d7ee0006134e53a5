"""The function in this process with a secret and a lock table in moto, which must be on."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import TYPE_CHECKING, Any

import boto3

from refresh_token.core.windows import iso_utc
from tests.support.lambda_context import LambdaContext
from tests.support.lock_table import TABLE, create_lock_table
from tests.support.secret_by_hand import store_by_hand
from tests.support.token_server import TokenServer
from tests.support.windows import LEFT, WINDOW_VARIABLES

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.client import SecretsManagerClient

ACCESS, REFRESH, CLIENT = "canary-access", "canary-refresh", "canary-client"
LIFE = timedelta(days=90)

Lines = Callable[[], list[dict[str, Any]]]
"""Returns the lines of JSON that the function printed."""


@dataclass
class MotoFunction:
    issuer: TokenServer
    secret_arn: str
    handler: ModuleType | None = None
    client: "SecretsManagerClient" = field(default_factory=lambda: boto3.client("secretsmanager"))

    @property
    def environment(self) -> dict[str, str]:
        return {"SECRET_ARN": self.secret_arn, "LOCK_TABLE": TABLE, **WINDOW_VARIABLES}

    def seed(self, window: str = "fresh", **changes: object) -> str:
        left = LEFT[window]
        assert left is not None
        expires_at = datetime.now(UTC) + left
        document = {
            "provider": "figma",
            "accessToken": ACCESS,
            "refreshToken": REFRESH,
            "clientId": CLIENT,
            "expiresAt": iso_utc(expires_at),
            "refreshedAt": iso_utc(expires_at - LIFE),
            "note": "kept",
            **changes,
        }
        return self.store(json.dumps({key: value for key, value in document.items() if value is not None}))

    def store(self, text: str) -> str:
        return store_by_hand(self.client, self.secret_arn, text)

    def stored(self) -> tuple[str, dict[str, object]]:
        value = self.client.get_secret_value(SecretId=self.secret_arn, VersionStage="AWSCURRENT")
        return value["VersionId"], json.loads(value["SecretString"])

    def invoke(self, event: object, context: LambdaContext | None = None) -> dict[str, Any]:
        """Invoke the function as Lambda does: event and answer pass through JSON."""
        assert self.handler
        answer = self.handler.lambda_handler(json.loads(json.dumps(event)), context or LambdaContext())
        read: dict[str, Any] = json.loads(json.dumps(answer))
        return read


def deploy(issuer: TokenServer) -> MotoFunction:
    create_lock_table(boto3.client("dynamodb"))
    return MotoFunction(issuer, boto3.client("secretsmanager").create_secret(Name="pair")["ARN"])

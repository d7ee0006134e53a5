"""The built function with a secret and a lock table of one test on the local AWS."""

import json
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from infra.stage_settings import StageSettings
from local.cloud import LocalCloud
from local.standin.grants import Grant
from tests.support.checkout import ROOT
from tests.support.lambda_emulator import Runtime, running
from tests.support.lock_table import create_lock_table
from tests.support.oauth2_server import Token
from tests.support.windows import FRESH
from token_refresher.bundling.bundle import function_bundle


def build_asset() -> Path:
    context = {"stage": "local", **json.loads((ROOT / "cdk.json").read_text())["context"]}
    return function_bundle(StageSettings.from_context(context).refresher["architecture"])


def store_app(cloud: LocalCloud, name: str, client_id: str, client_secret: str, **more: str) -> dict[str, str]:
    """Store an app's credentials in a secret; return the variable that names it."""
    secrets = cloud.client("secretsmanager")
    with suppress(secrets.exceptions.ResourceExistsException):
        secrets.create_secret(Name=name)
    credentials = json.dumps({"clientId": client_id, "clientSecret": client_secret, **more})
    return {"APP_SECRET_ARN": str(secrets.put_secret_value(SecretId=name, SecretString=credentials)["ARN"])}


@dataclass
class LocalFunction:
    """A secret, a lock table, and the function's environment for them."""

    cloud: LocalCloud
    asset: Path
    folder: Path
    name: str = field(default_factory=lambda: f"rie-{uuid.uuid4()}")
    secret_arn: str = ""

    def __post_init__(self) -> None:
        self.secrets = self.cloud.client("secretsmanager")
        self.dynamodb = self.cloud.client("dynamodb")
        self.secret_arn = self.secrets.create_secret(Name=self.name)["ARN"]
        create_lock_table(self.dynamodb, self.name)

    def seed(self, grant: Grant | Token, *, expires_in: timedelta | None = FRESH, **more: object) -> str:
        pair = {"accessToken": grant.access_token, "refreshToken": grant.refresh_token, **more}
        if expires_in is not None:
            pair["expiresAt"] = (datetime.now(UTC) + expires_in).isoformat()
        return self.store(json.dumps(pair))

    def app_secret(self, client_id: str, client_secret: str, **more: str) -> dict[str, str]:
        """Store an app's credentials, perhaps instead of others; return the variable that names them."""
        return store_app(self.cloud, f"{self.name}-app", client_id, client_secret, **more)

    def leave_pending(self) -> None:
        """Leave the label of an earlier refresh behind, on a version that is not current any more."""
        self.secrets.put_secret_value(SecretId=self.secret_arn, SecretString="old", VersionStages=["AWSPENDING"])

    def claim_ends_at(self) -> float | None:
        """Return when the claim ends, in epoch seconds; None if there is none."""
        claims = self.dynamodb.scan(TableName=self.name, ConsistentRead=True)["Items"]
        return int(claims[0]["in_progress_expiration"]["N"]) / 1000 if claims else None

    def store(self, text: str) -> str:
        return str(self.secrets.put_secret_value(SecretId=self.secret_arn, SecretString=text)["VersionId"])

    def runtime(self, **environment: str) -> AbstractContextManager[Runtime]:
        return self._running(environment)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **self.cloud.exports,
            "SECRET_ARN": self.secret_arn,
            "LOCK_TABLE": self.name,
            "ADVISORY_WINDOW_SECONDS": "604800",
            "MANDATORY_WINDOW_SECONDS": "86400",
            "POWERTOOLS_SERVICE_NAME": "RefreshToken-test",
        }

    def current(self) -> tuple[str, dict[str, Any]]:
        value = self.secrets.get_secret_value(SecretId=self.secret_arn, VersionStage="AWSCURRENT")
        return value["VersionId"], json.loads(value["SecretString"])

    @contextmanager
    def _running(self, environment: dict[str, str]) -> Iterator[Runtime]:
        variables = {**self.environment, **environment}
        with running(self.asset, variables, self.folder / f"rie-{uuid.uuid4()}.log") as runtime:
            yield runtime

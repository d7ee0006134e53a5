"""The same job with Powertools as its documentation shows it, with all features imported at the start."""

import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)

logger = Logger()
metrics = Metrics(namespace="Peer")
tracer = Tracer()
secrets = parameters.SecretsProvider()
locks = DynamoDBPersistenceLayer(table_name=os.environ["LOCK_TABLE"])
config = IdempotencyConfig(expires_after_seconds=60)
issuer = boto3.client("amplifyuibuilder")

REFRESH_BEFORE = timedelta(days=1)


@idempotent_function(  # type: ignore[untyped-decorator]
    data_keyword_argument="expires_at", persistence_store=locks, config=config
)
def refresh(*, expires_at: str) -> str:
    """Refresh the pair and store it."""
    arn = os.environ["SECRET_ARN"]
    pair = json.loads(str(secrets.get(arn, max_age=0)))
    issued = issuer.refresh_token(provider="figma", refreshTokenBody={"token": pair["refreshToken"]})
    now = datetime.now(UTC)
    pair |= {
        "accessToken": issued["accessToken"],
        "expiresAt": (now + timedelta(seconds=issued["expiresIn"])).isoformat(),
    }
    secrets.set(arn, value=json.dumps(pair))
    metrics.add_metric(name="Refreshed", unit=MetricUnit.Count, value=1)
    return expires_at


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], _: object) -> dict[str, Any]:
    """Return the stored token, after refreshing it if it is due."""
    arn = os.environ["SECRET_ARN"]
    pair = json.loads(str(secrets.get(arn, max_age=0)))
    left = datetime.fromisoformat(pair["expiresAt"]) - datetime.now(UTC)
    metrics.add_metric(name="SecondsUntilExpiry", unit=MetricUnit.Seconds, value=left.total_seconds())
    if event.get("force") or left < REFRESH_BEFORE:
        refresh(expires_at=pair["expiresAt"])
        pair = json.loads(str(secrets.get(arn, max_age=0)))
    logger.info("Checked the token")
    return {"accessToken": pair["accessToken"], "expiresAt": pair["expiresAt"]}

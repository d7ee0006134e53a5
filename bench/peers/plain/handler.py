"""What a careful developer writes in an afternoon, with boto3 and nothing else."""

import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

secrets = boto3.client("secretsmanager")
issuer = boto3.client("amplifyuibuilder")

REFRESH_BEFORE = timedelta(days=1)


def lambda_handler(event: dict[str, Any], _: object) -> dict[str, Any]:
    """Return the stored token, after refreshing it if it is due."""
    arn = os.environ["SECRET_ARN"]
    stored = secrets.get_secret_value(SecretId=arn)
    version, pair = stored["VersionId"], json.loads(stored["SecretString"])
    expires_at = datetime.fromisoformat(pair["expiresAt"])
    if event.get("force") or expires_at - datetime.now(UTC) < REFRESH_BEFORE:
        issued = issuer.refresh_token(provider="figma", refreshTokenBody={"token": pair["refreshToken"]})
        expires_at = datetime.now(UTC) + timedelta(seconds=issued["expiresIn"])
        pair |= {"accessToken": issued["accessToken"], "expiresAt": expires_at.isoformat()}
        version = secrets.put_secret_value(SecretId=arn, SecretString=json.dumps(pair))["VersionId"]
    return {
        "accessToken": pair["accessToken"],
        "expiresAt": expires_at.isoformat(),
        "versionId": version,
    }

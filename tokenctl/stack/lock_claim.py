"""Holding the claim on the refresh of the stack's pair, so that the function does not refresh it meanwhile.

The record is the one that the function's lock writes with Powertools Idempotency (DynamoDBPersistenceLayer). Its key is
a hash of the secret's ARN and the version.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import Any, Final

from tokenctl.errors import ConfigurationError, TokenctlError
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.deployed_stack import DeployedStack

SECONDS: Final = 60
"""How long the claim holds if the process dies."""

_IN_PROGRESS: Final = "INPROGRESS"
_NAMES: Final = {"#status": "status", "#until": "in_progress_expiration"}


@contextmanager
def claimed_pair(deployed: DeployedStack, version_id: str) -> Iterator[None]:
    """Hold the claim on the refresh of a version; afterwards the record is what it was before.

    Raises:
        TokenctlError: the function is refreshing that version.
        ConfigurationError: the lock table is not known.
        ServiceError: DynamoDB fails or denies access.

    """
    table = deployed.lock_table
    if table is None:
        raise ConfigurationError("The lock table is not known. Run `tokenctl doctor`: it says what is missing.")
    client: Any = deployed.target.aws.client("dynamodb")
    key = {"id": {"S": _key(deployed.target.secret_arn, version_id)}}
    now = time.time()
    until = {"N": str(int((now + SECONDS) * 1000))}
    claim = {
        **key,
        "status": {"S": _IN_PROGRESS},
        "expiration": {"N": str(int(now) + SECONDS)},
        "in_progress_expiration": until,
    }
    with translate_aws_errors():
        try:
            before = client.put_item(
                TableName=table,
                Item=claim,
                ConditionExpression="attribute_not_exists(id) OR #status <> :busy OR #until < :now",
                ExpressionAttributeNames=_NAMES,
                ExpressionAttributeValues={":busy": {"S": _IN_PROGRESS}, ":now": {"N": str(int(now * 1000))}},
                ReturnValues="ALL_OLD",
            ).get("Attributes")
        except client.exceptions.ConditionalCheckFailedException:
            busy = "The pair of the stack is being refreshed. Nothing was changed. Try again in a minute."
            raise TokenctlError(busy) from None
    try:
        yield
    finally:
        ours = {
            "TableName": table,
            "ConditionExpression": "#status = :busy AND #until = :until",
            "ExpressionAttributeNames": _NAMES,
            "ExpressionAttributeValues": {":busy": {"S": _IN_PROGRESS}, ":until": until},
        }
        # If the claim has ended, somebody else may hold it.
        with translate_aws_errors(), suppress(client.exceptions.ConditionalCheckFailedException):
            _ = client.put_item(Item=before, **ours) if before else client.delete_item(Key=key, **ours)


def _key(secret_arn: str, version_id: str) -> str:
    data = json.dumps({"secret": secret_arn, "version": version_id}, sort_keys=True)
    return f"refresh#{sha256(data.encode()).hexdigest()}"

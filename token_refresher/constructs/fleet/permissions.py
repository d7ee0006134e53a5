"""What each function of a fleet may do with the fleet's resources: exactly what it does.

Emulators do not know two of the conditions, and refuse what these would allow. For an emulator they are left out.
"""

from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs

from refresh_token.fleet.table import DUE_INDEX, TROUBLE_INDEX
from token_refresher.constructs.dead_letter_queue import send_to
from token_refresher.constructs.statements import allow, use_table_key

_CONTEXT: Final = "connection"
"""The only key of the encryption context of a token. Its value is the connection's name."""
_BRAKES: Final = "#brake#*"
"""The partition keys of the items that hold the fleet's own state."""
_LEASE: Final = ("pk", "dueAt", "state")
"""The attributes that a lease reads or writes."""

Conditions = Mapping[str, Mapping[str, Any]]


def keep_connections(table: dynamodb.ITable, key: kms.IKey, *, emulator: bool) -> list[iam.PolicyStatement]:
    """Return the permissions to read a connection, refresh it and store its next token pair."""
    only_tokens: Conditions = {
        "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": _CONTEXT},
        # A request without any context would meet the condition above.
        "Null": {f"kms:EncryptionContext:{_CONTEXT}": "false"},
    }
    return [
        allow("KeepConnections", ["dynamodb:GetItem", "dynamodb:UpdateItem"], table.table_arn),
        use_table_key("UseKeyForTable", key),
        allow(
            "SealTokens",
            ["kms:Decrypt", "kms:Encrypt"],
            key.key_arn,
            conditions=None if emulator else only_tokens,
        ),
    ]


def take_work(queue: sqs.IQueue) -> list[iam.PolicyStatement]:
    """Return what Lambda does with the queue in the worker's name (Lambda Developer Guide, "Using Lambda with SQS")."""
    actions = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
    return [
        allow("TakeWork", actions, queue.queue_arn),
        *(
            [allow("TakeWorkEncrypted", ["kms:Decrypt"], queue.encryption_master_key.key_arn)]
            if queue.encryption_master_key
            else []
        ),
    ]


def dispatch(table: dynamodb.ITable, key: kms.IKey, queue: sqs.IQueue, *, emulator: bool) -> list[iam.PolicyStatement]:
    """Return the permissions to find what is due, to lease it, and to send it to the workers.

    The indexes hold no token, and no write may return one. Only the items with the brakes return what they held.
    """
    returns_nothing: Conditions = {"StringEqualsIfExists": {"dynamodb:ReturnValues": "NONE"}}
    lease_only: Conditions = {**returns_nothing, "ForAllValues:StringEquals": {"dynamodb:Attributes": [*_LEASE]}}
    brakes_only: Conditions = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": _BRAKES}}
    return [
        allow(
            "FindDueConnections",
            ["dynamodb:Query"],
            *(f"{table.table_arn}/index/{index}" for index in (DUE_INDEX, TROUBLE_INDEX)),
        ),
        allow("LeaseConnections", ["dynamodb:UpdateItem"], table.table_arn, conditions=lease_only),
        allow(
            "KeepBrakes",
            ["dynamodb:UpdateItem"],
            table.table_arn,
            conditions=None if emulator else brakes_only,
        ),
        use_table_key("UseKeyForTable", key),
        *send_to(queue, "SendWork"),
        allow("SeeQueue", ["sqs:GetQueueAttributes"], queue.queue_arn),
    ]

"""The calls of a fleet's functions, each with the functions whose roles allow it, and calls that no role allows."""

from typing import Any

from refresh_token.fleet.writes import lease
from tests.support.iam import ACCOUNT, CONNECTIONS, FLEET_KEY, QUEUE, REGION

PARTS = {
    "ask": "ConnectionsAsk",
    "worker": "ConnectionsWorker",
    "dispatcher": "ConnectionsDispatcher",
    "secret": "Refresh",
}
"""The three functions of a fleet, and that of the secret beside it, whose pair may move to the fleet."""
URL = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}"
LEASE = {**lease("acme/u1", due_at=1000, until=2000), "TableName": CONNECTIONS}
KEY = {"TableName": CONNECTIONS, "Key": {"pk": {"S": "acme/u1"}}}
BRAKE = {"TableName": CONNECTIONS, "Key": {"pk": {"S": "#brake#figma"}}}
ITEM = {"TableName": CONNECTIONS, "Key": {"pk": {"S": "acme/u1"}}, "ExpressionAttributeNames": {"#t": "accessToken"}}
OURS = {"Source": "refresh-token", "DetailType": "Connection State Change", "EventBusName": "default"}
CONTEXT = {"EncryptionContext": {"connection": "acme/u1"}}
OF_LINEAR = "ConnectionsAppSecretlinearAD31D3E3"

CALLS: dict[str, tuple[tuple[str, str, dict[str, Any]], str]] = {
    "read a connection": (("dynamodb", "GetItem", KEY), "ask worker secret"),
    "read all connections": (("dynamodb", "Scan", {"TableName": CONNECTIONS}), ""),
    "query the table": (("dynamodb", "Query", {"TableName": CONNECTIONS}), ""),
    "find what is due": (("dynamodb", "Query", {"TableName": CONNECTIONS, "IndexName": "due"}), "dispatcher"),
    "count troubles": (("dynamodb", "Query", {"TableName": CONNECTIONS, "IndexName": "trouble"}), "dispatcher"),
    "write a connection": (("dynamodb", "UpdateItem", ITEM), "ask worker secret"),
    "lease": (("dynamodb", "UpdateItem", LEASE), "ask worker dispatcher secret"),
    "lease and read": (("dynamodb", "UpdateItem", {**LEASE, "ReturnValues": "ALL_NEW"}), "ask worker secret"),
    "count at a brake": (
        ("dynamodb", "UpdateItem", {**BRAKE, "ReturnValues": "UPDATED_OLD"}),
        "ask worker dispatcher secret",
    ),
    "make a connection": (("dynamodb", "PutItem", {"TableName": CONNECTIONS}), ""),
    "remove a connection": (("dynamodb", "DeleteItem", KEY), ""),
    "write another table": (("dynamodb", "UpdateItem", {**ITEM, "TableName": "more"}), ""),
    "seal a token": (("kms", "Encrypt", {"KeyId": FLEET_KEY, **CONTEXT}), "ask worker secret"),
    "open a token": (("kms", "Decrypt", CONTEXT), "ask worker secret"),
    "decrypt without a context": (("kms", "Decrypt", {}), ""),
    "decrypt with more": (("kms", "Decrypt", {"EncryptionContext": {"connection": "a", "other": "b"}}), ""),
    "decrypt with another": (("kms", "Decrypt", {"EncryptionContext": {"aws:dynamodb:tableName": "connections"}}), ""),
    "make a data key": (("kms", "GenerateDataKey", {"KeyId": FLEET_KEY, **CONTEXT}), ""),
    "read an app's secret": (("secretsmanager", "GetSecretValue", {"SecretId": OF_LINEAR}), "ask worker"),
    "read the pair": (("secretsmanager", "GetSecretValue", {"SecretId": "SecretA720EF05"}), ""),
    "write an app's secret": (("secretsmanager", "PutSecretValue", {"SecretId": OF_LINEAR}), ""),
    "send work": (("sqs", "SendMessageBatch", {"QueueUrl": f"{URL}/{QUEUE}"}), "dispatcher"),
    "see the queue": (("sqs", "GetQueueAttributes", {"QueueUrl": f"{URL}/{QUEUE}"}), "worker dispatcher"),
    "take work": (("sqs", "ReceiveMessage", {"QueueUrl": f"{URL}/{QUEUE}"}), "worker"),
    "end work": (("sqs", "DeleteMessage", {"QueueUrl": f"{URL}/{QUEUE}"}), "worker"),
    "purge the queue": (("sqs", "PurgeQueue", {"QueueUrl": f"{URL}/{QUEUE}"}), ""),
    "send an event": (("events", "PutEvents", {"Entries": [OURS]}), "ask worker"),
    "send another's event": (("events", "PutEvents", {"Entries": [OURS, {**OURS, "Source": "aws.ec2"}]}), ""),
    "send to another bus": (("events", "PutEvents", {"Entries": [{**OURS, "EventBusName": "theirs"}]}), ""),
}

"""Enforces a role of the stack: checks each call of AWS clients against its policy, with the conditions.

It also checks what Secrets Manager and DynamoDB do with the key of a secret or a table for the caller (Secrets Manager
User Guide, "Permissions for the KMS key"; DynamoDB Developer Guide, "Encryption at rest").
"""

import fnmatch
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from tests.support.template import template

REGION, ACCOUNT = "eu-west-1", "123456789012"
KEY_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/of-the-secret"
FLEET_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/of-the-fleet"
CONNECTIONS, QUEUE = "connections", "work"
"""The names of the fleet's table and queue."""

PSEUDO = {
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}
THROUGH_KEY = {"GetSecretValue": ("kms:Decrypt",), "PutSecretValue": ("kms:Decrypt", "kms:GenerateDataKey")}
ACTIONS = {"SendMessageBatch": "SendMessage"}
"""The actions of operations that have another name."""

Facts = Mapping[str, str | list[str]]
Asked = tuple[str, str, Facts]
"""An action, its resource, and what the conditions can ask about it."""


def asked_by(service: str, operation: str, body: Mapping[str, Any]) -> Iterator[Asked]:
    """Yield all that a call needs a permission for."""
    action = f"{service}:{ACTIONS.get(operation, operation)}"
    match service:
        case "dynamodb":
            table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{body.get('TableName')}"
            index = f"/index/{body['IndexName']}" if "IndexName" in body else ""
            yield action, table + index, _dynamodb_facts(body)
            if body.get("TableName") == CONNECTIONS:
                context = {"kms:EncryptionContextKeys": ["aws:dynamodb:subscriberId", "aws:dynamodb:tableName"]}
                yield "kms:Decrypt", FLEET_KEY, {"kms:ViaService": f"dynamodb.{REGION}.amazonaws.com", **context}
        case "secretsmanager":
            yield action, body.get("SecretId", "*"), {}
            through = {
                "kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com",
                "kms:EncryptionContext:SecretARN": body.get("SecretId", ""),
            }
            yield from ((needed, KEY_ARN, through) for needed in THROUGH_KEY.get(operation, ()))
        case "kms":
            given = body.get("EncryptionContext", {})
            keys = {"kms:EncryptionContextKeys": [*given]} if given else {}
            values = {f"kms:EncryptionContext:{key}": value for key, value in given.items()}
            yield action, body.get("KeyId", FLEET_KEY), {**keys, **values}
        case "sqs":
            yield action, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{body['QueueUrl'].rpartition('/')[2]}", {}
        case "events":
            for entry in body["Entries"]:
                bus = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{entry['EventBusName']}"
                yield action, bus, {"events:source": entry["Source"], "events:detail-type": entry["DetailType"]}
        case _:
            yield action, "*", {"aws:RequestedRegion": REGION}


def _dynamodb_facts(body: Mapping[str, Any]) -> Facts:
    """Return what DynamoDB tells IAM (DynamoDB Developer Guide, "Using IAM policy conditions")."""
    key: Mapping[str, Any] = body.get("Key", {})
    facts: dict[str, str | list[str]] = {
        "dynamodb:Attributes": [*key, *body.get("ExpressionAttributeNames", {}).values()],
        "dynamodb:LeadingKeys": [str(text) for value in key.values() for text in value.values()],
    }
    return {**facts, **({"dynamodb:ReturnValues": body["ReturnValues"]} if "ReturnValues" in body else {})}


def meets(conditions: Mapping[str, Mapping[str, Any]], facts: Facts) -> bool:
    """Tell whether all conditions of a statement hold (IAM User Guide, "Condition operators")."""
    return all(
        _holds(operator, facts.get(key), wanted if isinstance(wanted, list) else [wanted])
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _holds(operator: str, fact: str | list[str] | None, wanted: list[str]) -> bool:
    values = [] if fact is None else [fact] if isinstance(fact, str) else fact
    match operator:
        case "StringEquals":
            return bool(values) and set(values) <= set(wanted)
        case "StringEqualsIfExists" | "ForAllValues:StringEquals":
            return set(values) <= set(wanted)
        case "ForAllValues:StringLike":
            return all(any(fnmatch.fnmatchcase(value, pattern) for pattern in wanted) for value in values)
        case "Null":
            return [str(fact is None).lower()] == wanted
    raise NotImplementedError(operator)


@dataclass
class Role:
    """Allows what the policy in a snapshot allows, and remembers every call.

    The secrets have a key of their own, whatever the snapshot says: turning it on must not need another role.
    """

    variant: str
    secret_arn: str = ""
    app_secret_arn: str = ""
    signing_key_arn: str = ""
    fleet_key: str = FLEET_KEY
    """The key of the fleet in this test."""
    part: str = "Refresh"
    """Which function has the role: what the id of its resource begins with."""
    taken_away: str = ""
    """The Sid of a statement to remove from the policy."""
    used: set[tuple[str, str]] = field(default_factory=set)
    """The Sid of each statement that a call needed, with the action."""
    denied: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        (role,) = [
            one["Properties"]
            for name, one in template(self.variant)["Resources"].items()
            if one["Type"] == "AWS::IAM::Role" and name.startswith(f"{self.part}Role")
        ]
        (policy,) = role["Policies"]
        statements = policy["PolicyDocument"].items()
        self.statements = [self._resolved({"Sid": sid, **one}) for sid, one in statements]

    def granted(self) -> set[tuple[str, str]]:
        return {(statement["Sid"], action) for statement in self.statements for action in _actions(statement)}

    def answer(self, model: Any, params: dict[str, Any], **_: object) -> tuple[AWSResponse, dict[str, Any]] | None:
        """Handle botocore's event before-call: answer a forbidden call with AWS's own refusal."""
        refused = self.refuses(model.service_model.service_name, model.name, json.loads(params["body"] or "{}"))
        if not refused:
            return None
        error = {"Code": "AccessDeniedException", "Message": f"not authorized to perform {refused}"}
        response = AWSResponse("", 400, HTTPHeaders(), None)
        return response, {"Error": error, "ResponseMetadata": {"HTTPStatusCode": 400}}

    def refuses(self, service: str, operation: str, body: Mapping[str, Any]) -> set[str]:
        """Return the actions that a call needs and that the role does not allow."""
        if body.get("KeyId") == self.fleet_key:
            body = {**body, "KeyId": FLEET_KEY}
        refused = {
            action
            for action, target, facts in asked_by(service, operation, body)
            if not self._allows(action, target, facts)
        }
        self.denied |= refused
        return refused

    def _allows(self, action: str, target: str, facts: Facts) -> bool:
        allowing = {
            (statement["Sid"], action)
            for statement in self.statements
            if any(fnmatch.fnmatchcase(action, allowed) for allowed in _actions(statement))
            and any(fnmatch.fnmatchcase(target, allowed) for allowed in _listed(statement["Resource"]))
            and meets(statement.get("Condition", {}), facts)
            and self.taken_away != statement["Sid"]
        }
        self.used |= allowing
        return bool(allowing)

    def _resolved(self, node: Any) -> Any:  # noqa: PLR0911 - one for each form
        """Replace the template's references with this test's resources."""
        match node:
            case {"Ref": pseudo} if pseudo in PSEUDO:
                return PSEUDO[pseudo]
            case {"Fn::Sub": [text]}:
                return re.sub(r"\${([\w:]+)}", lambda found: PSEUDO[found[1]], text)
            case {"Fn::Join": [separator, parts]}:
                return separator.join(self._resolved(parts))
            case {"Fn::GetAtt": [name, _]}:
                kinds = {
                    "LockTable": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/locks",
                    "ConnectionsStoreTable": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{CONNECTIONS}",
                    "ConnectionsStoreKey": FLEET_KEY,
                    "ConnectionsWorkQueue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{QUEUE}",
                    "Secret": self.secret_arn,
                    "AppSecret": self.app_secret_arn,
                    "SigningKey": self.signing_key_arn,
                }
                return next((arn for kind, arn in kinds.items() if name.startswith(kind)), name)
            case dict():
                return {key: self._resolved(value) for key, value in node.items()}
            case list():
                return [self._resolved(value) for value in node]
            case _:
                return node


def _actions(statement: dict[str, Any]) -> list[str]:
    return _listed(statement["Action"])


def _listed(texts: str | list[str]) -> list[str]:
    return texts if isinstance(texts, list) else [texts]

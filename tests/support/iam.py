"""Enforces the function's role: checks each call of its AWS clients against the policy in the template.

It also checks what Secrets Manager does with the secret's key for the caller (Secrets Manager User Guide, "Permissions
for the KMS key").
"""

import fnmatch
import json
import re
from dataclasses import dataclass, field
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from tests.support.template import resources

REGION, ACCOUNT = "eu-west-1", "123456789012"
KEY_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/of-the-secret"
PSEUDO = {
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}
THROUGH_KEY = {"GetSecretValue": ("kms:Decrypt",), "PutSecretValue": ("kms:Decrypt", "kms:GenerateDataKey")}


@dataclass
class Role:
    """Allows what the policy in a snapshot allows, and remembers every call.

    The secrets have a key of their own, whatever the snapshot says: turning it on must not need another role.
    """

    variant: str
    secret_arn: str
    app_secret_arn: str = ""
    signing_key_arn: str = ""
    taken_away: str = ""
    """The Sid of a statement to remove from the policy."""
    used: set[tuple[str, str]] = field(default_factory=set)
    """The Sid of each statement that a call needed, with the action."""
    denied: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        policies = [policy for role in resources(self.variant, "AWS::IAM::Role") for policy in role["Policies"]]
        (policy,) = [policy for policy in policies if policy["PolicyName"] == "RefreshToken"]
        statements = policy["PolicyDocument"].items()
        self._statements = [self._resolved({"Sid": sid, **one}) for sid, one in statements]

    def granted(self) -> set[tuple[str, str]]:
        return {(statement["Sid"], action) for statement in self._statements for action in _actions(statement)}

    def answer(self, model: Any, params: dict[str, Any], **_: object) -> tuple[AWSResponse, dict[str, Any]] | None:
        """Handle botocore's event before-call: answer a forbidden call with AWS's own refusal."""
        service, operation = model.service_model.service_name, model.name
        body = json.loads(params["body"] or "{}")
        targets = {
            "secretsmanager": body.get("SecretId"),
            "kms": body.get("KeyId"),
            "dynamodb": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{body.get('TableName')}",
        }
        asked = [(f"{service}:{operation}", targets.get(service, "*"), {"aws:RequestedRegion": REGION})]
        if service == "secretsmanager":
            context = {
                "kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com",
                "kms:EncryptionContext:SecretARN": body.get("SecretId"),
            }
            asked += [(action, KEY_ARN, context) for action in THROUGH_KEY.get(operation, ())]
        refused = {action for action, target, facts in asked if not self._allows(action, target, facts)}
        self.denied |= refused
        if not refused:
            return None
        error = {"Code": "AccessDeniedException", "Message": f"not authorized to perform {refused}"}
        response = AWSResponse("", 400, HTTPHeaders(), None)
        return response, {"Error": error, "ResponseMetadata": {"HTTPStatusCode": 400}}

    def _allows(self, action: str, target: str, facts: dict[str, str]) -> bool:
        allowing = {
            (statement["Sid"], action)
            for statement in self._statements
            if any(fnmatch.fnmatchcase(action, allowed) for allowed in _actions(statement))
            and fnmatch.fnmatchcase(target, statement["Resource"])
            and all(
                facts.get(key) == value for key, value in statement.get("Condition", {}).get("StringEquals", {}).items()
            )
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
                kinds = {"LockTable": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/locks"}
                kinds |= {
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
    actions = statement["Action"]
    return actions if isinstance(actions, list) else [actions]

"""Where tokens are kept: secrets, and the keys. The secrets' values stay as they are."""

import json
from typing import Any, Final

from tokenctl.drift.kind import Change, Kind, found
from tokenctl.drift.statements import allowed_actions, denials
from tokenctl.drift.template import DeployedTemplate, Resource

_AWS_MANAGED_KEY: Final = "alias/aws/secretsmanager"
_ROTATION: Final = "EnableKeyRotation"


def _read_secret(stack: DeployedTemplate, secret: Resource) -> dict[str, Any] | None:
    client, arn = stack.target.aws.client("secretsmanager"), secret.physical_id
    answer = found(client.describe_secret, SecretId=arn)
    if answer is None:
        return None
    deleted = answer.get("DeletedDate")
    policy = None if deleted or _has_deployed_policy(stack, arn) else _read_policy_of(stack, arn)
    used = {action for role in stack.resources if role.type == "AWS::IAM::Role" for action in allowed_actions(role)}
    return {
        "KmsKeyId": answer.get("KmsKeyId") or _AWS_MANAGED_KEY,
        "scheduled for deletion": bool(deleted),
        "rotated by Secrets Manager": bool(answer.get("RotationEnabled")),
        "denied by the policy": denials(policy, used) if policy else [],
    }


def _has_deployed_policy(stack: DeployedTemplate, arn: str) -> bool:
    """Tell whether the stack has deployed a policy of the secret, which is then compared as a resource of its own."""
    return any(each.type == SECRET_POLICY.type and each.properties["SecretId"] == arn for each in stack.resources)


def _read_policy_of(stack: DeployedTemplate, arn: str) -> dict[str, Any] | None:
    answer = found(stack.target.aws.client("secretsmanager").get_resource_policy, SecretId=arn)
    text = (answer or {}).get("ResourcePolicy")
    return dict(json.loads(text)) if text else None


def _restore_secret(stack: DeployedTemplate, change: Change) -> None:
    client, arn = stack.target.aws.client("secretsmanager"), change.resource.physical_id
    if change.touches("scheduled for deletion"):
        client.restore_secret(SecretId=arn)
    if change.touches("KmsKeyId"):
        client.update_secret(SecretId=arn, KmsKeyId=change.wanted["KmsKeyId"])
    if change.touches("rotated by Secrets Manager"):
        client.cancel_rotate_secret(SecretId=arn)
    if change.touches("denied by the policy"):
        client.delete_resource_policy(SecretId=arn)


def _read_secret_policy(stack: DeployedTemplate, policy: Resource) -> dict[str, Any] | None:
    document = _read_policy_of(stack, policy.properties["SecretId"])
    return None if document is None else {"ResourcePolicy": document}


def _restore_secret_policy(stack: DeployedTemplate, change: Change) -> None:
    arn, document = change.resource.properties["SecretId"], json.dumps(change.wanted["ResourcePolicy"])
    stack.target.aws.client("secretsmanager").put_resource_policy(SecretId=arn, ResourcePolicy=document)


def _read_key(stack: DeployedTemplate, key: Resource) -> dict[str, Any] | None:
    client, name = stack.target.aws.client("kms"), key.physical_id
    answer = found(client.describe_key, KeyId=name)
    if answer is None:
        return None
    policy = client.get_key_policy(KeyId=name, PolicyName="default")["Policy"]
    state = answer["KeyMetadata"]["KeyState"]
    rotated = key.properties.get(_ROTATION)
    if rotated is not None and state == "Enabled":  # only then a key is rotated
        rotated = client.get_key_rotation_status(KeyId=name)["KeyRotationEnabled"]
    # A key without material is as it was deployed: an operator imports the provider's private key.
    state = "Enabled" if state == "PendingImport" else state
    return {"KeyState": state, "KeyPolicy": json.loads(policy), _ROTATION: rotated}


def _restore_key(stack: DeployedTemplate, change: Change) -> None:
    client, name = stack.target.aws.client("kms"), change.resource.physical_id
    for difference in change.differences:
        if difference.now == "PendingDeletion":
            client.cancel_key_deletion(KeyId=name)
    if change.touches("KeyState"):
        client.enable_key(KeyId=name)
    if change.touches("KeyPolicy"):
        client.put_key_policy(KeyId=name, PolicyName="default", Policy=json.dumps(change.wanted["KeyPolicy"]))
    if change.touches(_ROTATION):
        (client.enable_key_rotation if change.wanted[_ROTATION] else client.disable_key_rotation)(KeyId=name)


SECRET: Final = Kind(
    type="AWS::SecretsManager::Secret",
    read=_read_secret,
    restore=_restore_secret,
    settings=("KmsKeyId",),
    defaults={
        "KmsKeyId": _AWS_MANAGED_KEY,
        "scheduled for deletion": False,
        "rotated by Secrets Manager": False,
        "denied by the policy": [],
    },
    vital=("denied by the policy",),
    can_create=False,  # its ARN would be another one
)
SECRET_POLICY: Final = Kind(
    type="AWS::SecretsManager::ResourcePolicy",
    read=_read_secret_policy,
    restore=_restore_secret_policy,
    part_of="SecretId",
    settings=("ResourcePolicy",),
)
KEY: Final = Kind(
    type="AWS::KMS::Key",
    read=_read_key,
    restore=_restore_key,
    settings=("KeyPolicy", _ROTATION),
    defaults={"KeyState": "Enabled"},
    can_create=False,
)

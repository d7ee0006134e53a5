"""IAM roles. What else somebody has allowed them stays: grants from outside the stack look like that."""

import json
from typing import Any, Final
from urllib.parse import unquote

from tokenctl.drift.kind import Change, Kind, found
from tokenctl.drift.template import DeployedTemplate, Resource


def _inline(role: Resource) -> dict[str, Any]:
    return {policy["PolicyName"]: policy["PolicyDocument"] for policy in role.properties.get("Policies", ())}


def _read_role(stack: DeployedTemplate, role: Resource) -> dict[str, Any] | None:
    client, name = stack.target.aws.client("iam"), role.physical_id
    answer = found(client.get_role, RoleName=name)
    if answer is None:
        return None
    policies = {}
    for policy in _inline(role):
        document = found(client.get_role_policy, RoleName=name, PolicyName=policy)
        policies[policy] = document and _document(document["PolicyDocument"])
    attached = []
    if role.properties.get("ManagedPolicyArns"):
        pages = client.get_paginator("list_attached_role_policies").paginate(RoleName=name)
        attached = [policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]]
    return {
        "AssumeRolePolicyDocument": _document(answer["Role"]["AssumeRolePolicyDocument"]),
        "Policies": policies,
        "ManagedPolicyArns": [arn for arn in attached if arn in role.properties["ManagedPolicyArns"]],
    }


def _document(found_as: Any) -> Any:  # noqa: ANN401 - botocore decodes it already, unless a service sends it otherwise
    return json.loads(unquote(found_as)) if isinstance(found_as, str) else found_as


def _restore_role(stack: DeployedTemplate, change: Change) -> None:
    client, name = stack.target.aws.client("iam"), change.resource.physical_id
    trust = json.dumps(change.wanted["AssumeRolePolicyDocument"])
    if change.gone:
        path = change.resource.properties.get("Path", "/")
        client.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=trust)
    elif change.touches("AssumeRolePolicyDocument"):
        client.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
    if change.touches("Policies"):
        for policy, document in change.wanted["Policies"].items():
            client.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))
    if change.touches("ManagedPolicyArns"):
        for arn in change.wanted.get("ManagedPolicyArns", ()):
            client.attach_role_policy(RoleName=name, PolicyArn=arn)


class _RoleKind(Kind):
    def wanted(self, resource: Resource) -> dict[str, Any]:
        """Return the settings, with the inline policies by their names."""
        return {**super().wanted(resource), "Policies": _inline(resource)}


ROLE: Final = _RoleKind(
    type="AWS::IAM::Role",
    read=_read_role,
    restore=_restore_role,
    settings=("AssumeRolePolicyDocument", "ManagedPolicyArns"),
)

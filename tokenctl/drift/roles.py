"""IAM roles. What else somebody has allowed them stays: grants from outside the stack look like that."""

import json
from functools import partial
from typing import Any, Final
from urllib.parse import unquote

from tokenctl.drift.kind import Change, Kind, found
from tokenctl.drift.statements import allowed_actions, denials
from tokenctl.drift.template import DeployedTemplate, Resource
from tokenctl.stack.side_by_side import all_in_time

DENIED: Final = "denied by other policies"
"""What policies deny that the stack has not deployed, by the policy's name or, if it is a managed one, its ARN."""


def _inline(role: Resource) -> dict[str, Any]:
    return {policy["PolicyName"]: policy["PolicyDocument"] for policy in role.properties.get("Policies", ())}


def _read_role(stack: DeployedTemplate, role: Resource) -> dict[str, Any] | None:
    client, name = stack.target.aws.client("iam"), role.physical_id
    read = all_in_time(
        {
            "role": partial(found, client.get_role, RoleName=name),
            "inline": partial(found, client.list_role_policies, RoleName=name),
            "attached": partial(found, client.list_attached_role_policies, RoleName=name),
        }
    )
    if (answer := read["role"]) is None:
        return None
    attached = [policy["PolicyArn"] for policy in read["attached"]["AttachedPolicies"]]
    deployed = _deployed(stack, role)
    inline = {policy: partial(_inline_policy, client, name, policy) for policy in read["inline"]["PolicyNames"]}
    managed = {arn: partial(_managed_policy, client, arn) for arn in attached if arn not in deployed}
    documents = all_in_time({**inline, **managed})
    denied = {
        policy: denials(document, allowed_actions(role))
        for policy, document in documents.items()
        if policy not in deployed
    }
    return {
        "AssumeRolePolicyDocument": _document(answer["Role"]["AssumeRolePolicyDocument"]),
        "Policies": {policy: documents.get(policy) for policy in _inline(role)},
        "ManagedPolicyArns": [arn for arn in attached if arn in role.properties.get("ManagedPolicyArns", ())],
        "PermissionsBoundary": answer["Role"].get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        DENIED: {policy: statements for policy, statements in denied.items() if statements},
    }


def _deployed(stack: DeployedTemplate, role: Resource) -> set[str]:
    """Return the names and ARNs of the policies that the stack has deployed."""
    others = {each.properties.get("PolicyName") for each in stack.resources if each.type == "AWS::IAM::Policy"}
    managed = {*role.properties.get("ManagedPolicyArns", ()), *stack.physical_ids("AWS::IAM::ManagedPolicy")}
    return {*_inline(role), *others, *managed}


def _inline_policy(client: Any, role: str, policy: str) -> Any:  # noqa: ANN401 - a boto3 client, JSON
    return _document(client.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"])


def _managed_policy(client: Any, arn: str) -> Any:  # noqa: ANN401 - a boto3 client, JSON
    version = client.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return _document(client.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])


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
    _restore_limits(client, name, change)


def _restore_limits(client: Any, name: str, change: Change) -> None:  # noqa: ANN401 - a boto3 client
    """Restore the permissions boundary, and take away the policies that deny what the role needs."""
    if boundary := change.wanted["PermissionsBoundary"]:
        client.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=boundary)
    elif change.touches("PermissionsBoundary") and not change.gone:
        client.delete_role_permissions_boundary(RoleName=name)
    for policy in change.added(DENIED):
        if policy.startswith("arn:"):
            client.detach_role_policy(RoleName=name, PolicyArn=policy)
        else:
            client.delete_role_policy(RoleName=name, PolicyName=policy)


class _RoleKind(Kind):
    def wanted(self, resource: Resource) -> dict[str, Any]:
        """Return the settings, with the inline policies by their names."""
        return {**super().wanted(resource), "Policies": _inline(resource)}


ROLE: Final = _RoleKind(
    type="AWS::IAM::Role",
    read=_read_role,
    restore=_restore_role,
    settings=("AssumeRolePolicyDocument", "ManagedPolicyArns", "PermissionsBoundary"),
    defaults={"PermissionsBoundary": None, DENIED: {}},
    vital=(DENIED,),
)

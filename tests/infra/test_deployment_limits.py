"""The limits of a deployment fit the stacks. tests/system/test_account_templates.py asks an IAM what they allow."""

import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.checkout import ROOT
from tests.support.synthesised import APP_SECRET, VARIANTS, Synthesised

pytestmark = pytest.mark.xdist_group("synth")

MAX_POLICY = 6144
"""IAM's quota for a managed policy, in characters without white space."""
ROLES = "policy/RefreshTokenRoles"
UNUSED = (
    "codedeploy:RegisterOnPremisesInstance|lambda:PassCapacityProvider",  # no machines
    "(ec2|elasticfilesystem|s3files):.*",  # no network and no files
    "dynamodb:.*(Item|Replica|Query|Scan|ImportTable)|iam:CreateServiceLinkedRole|s3:(ListBucket|GetObjectMetadata)",
    "dynamodb:(Put|Delete)ResourcePolicy|dynamodb:(Enable|Disable|Update)Kinesis.*|kinesis:.*",
    "dynamodb:UpdateContributorInsights|(logs|sns):(Put|Delete)(DataProtection|Index)Policy|logs:.*DeletionProtection",
    "(firehose|logs):.*(Deliver|BearerToken|ResourcePolicy).*|logs:(CreateLogStream|PutLogEvents)|s3:REST.*",
    "iam:(At|De)tachRolePolicy|iam:DeleteRolePermissionsBoundary",  # policies are inline, and the boundary stays
    "kms:ListAliases|logs:(Dis)?[Aa]ssociateKmsKey",  # no log has a key
    "lambda:GetCodeSigningConfig|lambda:(Put|Delete)(Function(CodeSigning|Recursion|Scaling)|Provisioned|Runtime).*",
    "secretsmanager:(GetRandomPassword|GetSecretValue|.*Region.*)",  # a deployment needs no value
)
"""Permissions of CloudFormation's handlers for what our stacks do not have."""


def document(name: str) -> list[dict[str, Any]]:
    limits = yaml.safe_load((ROOT / "infra" / "account" / "deployment-limits.yaml").read_text(encoding="utf-8"))
    statements: list[dict[str, Any]] = limits["Resources"][name]["Properties"]["PolicyDocument"]["Statement"]
    return statements


def actions(statements: Iterable[dict[str, Any]]) -> set[str]:
    found = [one["Action"] for one in statements]
    return {action for some in found for action in ([some] if isinstance(some, str) else some)}


@pytest.fixture
def needed(synthesised: Callable[[str], Synthesised]) -> set[str]:
    """What CloudFormation's handlers need for the types in our templates, by the types' schemas."""
    templates = [synthesised(variant).template["Resources"].values() for variant in VARIANTS]
    kinds = {one["Type"].replace(APP_SECRET, "AWS::SecretsManager::Secret") for some in templates for one in some}
    found = set[str]()
    # Imported only here: with it comes sympy, which takes each worker longer to import than all of our tests.
    manager: Any = import_module("cfnlint.schema.manager").PROVIDER_SCHEMA_MANAGER
    for kind in kinds:
        schema: Any = manager.get_resource_schema(region="us-east-1", resource_type=kind).schema
        handlers = [one["permissions"] for name, one in schema["handlers"].items() if name != "list"]
        found.update(*handlers, schema.get("tagging", {}).get("permissions", []))
    return found


def test_a_deployment_may_do_what_it_needs(needed: set[str]) -> None:
    allowed = actions(document("Deployments"))
    unused = {action for action in needed if any(re.fullmatch(pattern, action) for pattern in UNUSED)}
    assert [one for one in needed - unused if not any(fnmatchcase(one, pattern) for pattern in allowed)] == []
    assert [one for one in allowed if not any(fnmatchcase(action, one) for action in needed)] == []
    assert [one for one in unused if any(fnmatchcase(one, pattern) for pattern in allowed)] == []
    assert [pattern for pattern in UNUSED if not any(re.fullmatch(pattern, one) for one in needed)] == []


def test_roles_have_the_boundary_and_fit_it(synthesise: Callable[..., Path]) -> None:
    used = set[str]()
    for stage, overrides in VARIANTS.values():
        boundary = {"@aws-cdk/core:permissionsBoundary": {"name": ROLES.removeprefix("policy/")}}
        template = yaml.safe_load(synthesise(stage, **overrides, **boundary).read_text(encoding="utf-8"))
        roles = [one["Properties"] for one in template["Resources"].values() if one["Type"] == "AWS::IAM::Role"]
        assert all(ROLES in str(role["PermissionsBoundary"]) for role in roles)
        used |= actions(one for role in roles for own in role["Policies"] for one in own["PolicyDocument"]["Statement"])
    assert used == actions(document("Roles"))


def test_no_role_is_made_without_the_boundary() -> None:
    boundary = {"iam:PermissionsBoundary": {"Fn::Sub": f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:{ROLES}"}}
    for statement in document("Deployments"):
        if actions([statement]) & {"iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"}:
            assert statement["Condition"] == {"StringEquals": boundary}


@pytest.mark.parametrize("name", ["Deployments", "Roles"])
def test_the_secrets_are_ours(name: str, template_file: Callable[[str], Path]) -> None:
    (statement,) = [one for one in document(name) if one["Sid"] == "Secrets"]
    named = {one["Fn::Sub"].rpartition("secret:")[2].removesuffix("-*") for one in statement["Resource"]}
    resources = yaml.safe_load(template_file("prod-fleet").read_text(encoding="utf-8"))["Resources"]
    secrets = {key for key, one in resources.items() if one["Type"] == "AWS::SecretsManager::Secret"}
    assert [one for one in secrets if not any(fnmatchcase(one, pattern) for pattern in named)] == []
    assert {pattern for pattern in named if not any(fnmatchcase(one, pattern) for one in secrets)} == {"RefreshToken"}
    assert len(re.sub(r"\s|[${}]|Fn::Sub|AWS::", "", str(document(name)))) < MAX_POLICY

"""What roles and resource policies never allow, whatever else they do.

The snapshots have each policy word for word; tests/function/test_role.py shows that the function needs all of its role.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.synthesised import Synthesised

pytestmark = pytest.mark.xdist_group("synth")

SERVICES = [{"Service": f"{name}.amazonaws.com"} for name in ("lambda", "scheduler", "cloudwatch", "codedeploy")]
ACCOUNT_ROOT = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":iam::", {"Ref": "AWS::AccountId"}, ":root"]]}
"""IAM policies of the account decide who may use a key (KMS Developer Guide)."""
IN_THIS_REGION = {"StringEquals": {"aws:RequestedRegion": {"Ref": "AWS::Region"}}}


def statements(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every statement of every policy document in a template."""
    if isinstance(node, dict):
        yield from node.get("Statement", [])
    for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else []:
        yield from statements(value)


def test_roles_allow_named_actions_on_named_resources(every_stage: Synthesised) -> None:
    for role in every_stage.resources("AWS::IAM::Role"):
        (policy,) = role["Properties"]["Policies"]
        allowed = policy["PolicyDocument"]["Statement"]
        assert [one for one in allowed if "*" in str(one["Action"])] == []
        anywhere = {one["Sid"]: one.get("Condition") for one in allowed if "*" in str(one["Resource"])}
        # Any key of the account, but only the one that encrypts the secret.
        for sid in [sid for sid in anywhere if sid.startswith("UseKeyFor")]:
            assert set(anywhere.pop(sid)["StringEquals"]) == {"kms:ViaService", "kms:EncryptionContext:SecretARN"}
        # CodeDeploy reads alarms by name. The versions that the canary tries have no names in advance.
        known = {"Trace": IN_THIS_REGION, "RefreshAtUiBuilder": IN_THIS_REGION, "WatchAlarm": None}
        assert anywhere.items() <= {**known, "Tick": None, "MoveAlias": None}.items()


def test_only_aws_and_the_account_are_let_in(every_stage: Synthesised) -> None:
    let_in = [one for one in statements(every_stage.template) if "Principal" in one and one["Effect"] == "Allow"]
    assert [one for one in let_in if one["Principal"] not in [*SERVICES, {"AWS": ACCOUNT_ROOT}]] == []
    unlimited = [one for one in let_in if one["Action"] not in ("sts:AssumeRole", "kms:*") and "Condition" not in one]
    assert {one["Sid"] for one in unlimited} == {"LetAlarmsEncrypt"}, "alarms encrypt with a key that has no other use"

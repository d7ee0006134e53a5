"""What `tokenctl repair` shows of a difference, and which statements of a policy it takes for one."""

from typing import Any

import pytest

from tokenctl.drift.differences import differences
from tokenctl.drift.statements import denials, open_to_everybody


@pytest.mark.parametrize(
    ("wanted", "live", "shown"),
    [
        ({"State": "ENABLED"}, {"State": "DISABLED"}, "State: DISABLED -> ENABLED"),
        ({"Timeout": 60}, {"Timeout": "60"}, None),
        (
            {"Environment": {"Variables": {"A": "canary"}}},
            {"Environment": {"Variables": {}}},
            "Environment.Variables.A",
        ),
        ({"Environment": {"Variables": {"A": "canary"}}}, {}, "Environment"),
        ({"Subscription": [{"Endpoint": "canary"}]}, {"Subscription": []}, "Subscription"),
    ],
)
def test_no_hidden_value_is_shown(wanted: dict[str, Any], live: dict[str, Any], shown: str | None) -> None:
    assert [str(each) for each in differences(wanted, live)] == ([shown] if shown else [])


NEEDED = {"secretsmanager:GetSecretValue", "kms:GenerateDataKey"}
STATEMENTS: list[tuple[dict[str, Any], bool]] = [
    ({"Effect": "Deny", "Action": "*"}, True),
    ({"Effect": "Deny", "Action": ["s3:*", "SecretsManager:getsecret*"]}, True),
    ({"Effect": "Deny", "NotAction": "iam:*", "Condition": {"Null": {"aws:SourceVpc": "true"}}}, True),
    ({"Effect": "Deny", "NotAction": ["secretsmanager:*", "kms:*"]}, False),
    ({"Effect": "Deny", "Action": "secretsmanager:DeleteSecret"}, False),
    ({"Effect": "Deny", "Action": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}, False),
    ({"Effect": "Allow", "Action": "*"}, False),
]
PERMISSIONS: list[tuple[dict[str, Any], bool]] = [
    ({"Effect": "Allow", "Principal": "*"}, True),
    (
        {
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}},
        },
        True,
    ),
    ({"Effect": "Allow", "Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, False),
    ({"Effect": "Allow", "Principal": {"AWS": "111122223333"}}, False),
    ({"Effect": "Deny", "Principal": "*"}, False),
]


@pytest.mark.parametrize(("statement", "counts"), STATEMENTS)
def test_what_denies_a_needed_action_counts(statement: dict[str, Any], *, counts: bool) -> None:
    assert denials({"Statement": statement}, NEEDED) == [statement] * counts


@pytest.mark.parametrize(("statement", "counts"), PERMISSIONS)
def test_what_lets_everybody_in_counts(statement: dict[str, Any], *, counts: bool) -> None:
    assert list(open_to_everybody({"Statement": [statement]})) == [statement] * counts

"""The function's role, which allows exactly what the function does, and whatever an app grants it."""

from aws_cdk import Aws
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct, IDependable

from token_refresher.constructs.acknowledgements import INLINE, acknowledge
from token_refresher.constructs.app_secret import AppSecret
from token_refresher.constructs.empty_secret import any_key_as_shown
from token_refresher.constructs.signing_key import SigningKey
from token_refresher.constructs.token_secret import TokenSecret
from token_refresher.issuers import Issuer

_LOCK_ACTIONS = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
_IN_THIS_REGION = {"StringEquals": {"aws:RequestedRegion": Aws.REGION}}


# The permissions that Lambda needs for a function in a network (Lambda Developer Guide, "Giving Lambda functions access
# to resources in an Amazon VPC"). None of the resources is known before the function exists.
_NETWORK_ACTIONS = [
    *("ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"),
    *("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses"),
]


def function_role(  # noqa: PLR0913 (keyword-only)
    scope: Construct,
    *,
    issuer: Issuer,
    log_group: logs.ILogGroup,
    secret: TokenSecret,
    app_secret: AppSecret | None,
    signing_key: SigningKey | None,
    lock_table: dynamodb.ITable,
    tracing: bool,
    in_network: bool,
    existing: iam.IRole | None,
) -> tuple[iam.IRole, list[IDependable]]:
    """Add the role to `scope`, or its permissions to an existing role.

    Return the role, and what the function must wait for.
    """
    statements = [
        _allow("WriteOwnLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], log_group.log_group_arn),
        *([_trace()] if tracing else []),
        *([_allow("UseNetwork", _NETWORK_ACTIONS, "*")] if in_network else []),
        *secret.statements(replace=issuer.refreshes),
        *_refresh_statements(issuer, app_secret, signing_key, lock_table),
        *_use_key_of(lock_table),
    ]
    if existing:
        added = iam.Policy(scope, "RolePolicy", statements=statements)
        existing.attach_inline_policy(added)  # an immutable role stays as it is
        _acknowledge(added)
        return existing, [added]
    role = iam.Role(
        scope,
        "Role",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={"RefreshToken": iam.PolicyDocument(statements=statements)},
    )
    _acknowledge(role)
    return role, []


def _acknowledge(resource: Construct) -> None:
    acknowledge(
        resource,
        {
            "AwsSolutions-IAM5[Resource::*]": "X-Ray and amplifyuibuilder:RefreshToken have no resource types. "
            "A condition limits their permissions to this region. Network interfaces have no names in advance.",
            f"AwsSolutions-IAM5[Resource::{any_key_as_shown(resource)}]": "Only through Secrets Manager, and only the "
            "key that encrypts the stack's own secret. A role that named it would be refused while the key changes.",
            **INLINE,
        },
    )


def _allow(
    sid: str, actions: list[str], resource: str, *, conditions: dict[str, dict[str, str]] | None = None
) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=sid, actions=actions, resources=[resource], conditions=conditions)


def _trace() -> iam.PolicyStatement:
    actions = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
    return _allow("Trace", actions, "*", conditions=_IN_THIS_REGION)


def _refresh_statements(
    issuer: Issuer, app_secret: AppSecret | None, signing_key: SigningKey | None, lock_table: dynamodb.ITable
) -> list[iam.PolicyStatement]:
    """Return the permissions to claim a refresh and to call the issuer. Without refreshes, reports are remembered."""
    if not issuer.refreshes:
        return [_allow("RememberReports", ["dynamodb:GetItem", "dynamodb:UpdateItem"], lock_table.table_arn)]
    return [
        _allow("ClaimRefresh", _LOCK_ACTIONS, lock_table.table_arn),
        *(app_secret.statements() if app_secret else []),
        *(signing_key.statements() if signing_key else []),
        *([_refresh_at_ui_builder()] if issuer.calls_ui_builder else []),
    ]


def _use_key_of(lock_table: dynamodb.ITable) -> list[iam.PolicyStatement]:
    """Return the permission for a table with a key of its own (DynamoDB Developer Guide, "Encryption at rest")."""
    if not lock_table.encryption_key:
        return []
    return [
        _allow(
            "UseKeyForClaims",
            ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
            lock_table.encryption_key.key_arn,
            conditions={"StringEquals": {"kms:ViaService": f"dynamodb.{Aws.REGION}.{Aws.URL_SUFFIX}"}},
        )
    ]


def _refresh_at_ui_builder() -> iam.PolicyStatement:
    return _allow("RefreshAtUiBuilder", ["amplifyuibuilder:RefreshToken"], "*", conditions=_IN_THIS_REGION)

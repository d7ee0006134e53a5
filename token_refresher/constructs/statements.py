"""Permissions that several roles have."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aws_cdk import Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from refresh_token.fleet.state_change import DETAIL_TYPE, SOURCE

IN_THIS_REGION: Final = {"StringEquals": {"aws:RequestedRegion": Aws.REGION}}

# The permissions that Lambda needs for a function in a network (Lambda Developer Guide, "Giving Lambda functions access
# to resources in an Amazon VPC"). None of the resources is known before the function exists.
_NETWORK_ACTIONS: Final = [
    *("ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"),
    *("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses"),
]

ANY_RESOURCE: Final = (
    "X-Ray and amplifyuibuilder:RefreshToken have no resource types. "
    "A condition limits their permissions to this region. Network interfaces have no names in advance."
)
"""Why some statements name no resource."""


def allow(
    sid: str, actions: Sequence[str], *resources: str, conditions: Mapping[str, Mapping[str, Any]] | None = None
) -> iam.PolicyStatement:
    """Return a statement that allows the actions on the resources."""
    return iam.PolicyStatement(sid=sid, actions=[*actions], resources=[*resources], conditions=conditions)


def run(log_group: logs.ILogGroup, *, tracing: bool, in_network: bool) -> list[iam.PolicyStatement]:
    """Return what each function needs to run."""
    return [
        allow("WriteOwnLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], log_group.log_group_arn),
        *([_trace()] if tracing else []),
        *([allow("UseNetwork", _NETWORK_ACTIONS, "*")] if in_network else []),
    ]


_TABLE_KEY_ACTIONS: Final = [
    *("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"),
    *("kms:ReEncryptFrom", "kms:ReEncryptTo"),
]


def use_table_key(sid: str, key: kms.IKey) -> iam.PolicyStatement:
    """Return the permission for a table with a key of its own (DynamoDB Developer Guide, "Encryption at rest")."""
    return allow(
        sid,
        _TABLE_KEY_ACTIONS,
        key.key_arn,
        conditions={"StringEquals": {"kms:ViaService": f"dynamodb.{Aws.REGION}.{Aws.URL_SUFFIX}"}},
    )


def send_events(scope: Construct, bus: str) -> iam.PolicyStatement:
    """Return the permission to send our events to the bus with this name or ARN."""
    arn = (
        bus
        if bus.startswith("arn:")
        else Stack.of(scope).format_arn(service="events", resource="event-bus", resource_name=bus)
    )
    ours = {"events:source": SOURCE, "events:detail-type": DETAIL_TYPE}
    return allow("SendEvents", ["events:PutEvents"], arn, conditions={"StringEquals": ours})


def refresh_at_ui_builder() -> iam.PolicyStatement:
    """Return the permission to refresh at Amplify UI Builder."""
    return allow("RefreshAtUiBuilder", ["amplifyuibuilder:RefreshToken"], "*", conditions=IN_THIS_REGION)


def _trace() -> iam.PolicyStatement:
    return allow("Trace", ["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "*", conditions=IN_THIS_REGION)

"""The function's role, which allows exactly what the function does."""

from aws_cdk import Aws
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from token_refresher.constructs.acknowledgements import acknowledge
from token_refresher.constructs.app_secret import AppSecret
from token_refresher.constructs.token_secret import TokenSecret
from token_refresher.issuers import Issuer

_LOCK_ACTIONS = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
_IN_THIS_REGION = {"StringEquals": {"aws:RequestedRegion": Aws.REGION}}


def function_role(  # noqa: PLR0913 (keyword-only)
    scope: Construct,
    *,
    issuer: Issuer,
    log_group: logs.ILogGroup,
    secret: TokenSecret,
    app_secret: AppSecret | None,
    lock_table: dynamodb.ITable,
    dead_letters: sqs.IQueue,
) -> iam.Role:
    """Add the role to `scope`."""
    role = iam.Role(
        scope,
        "Role",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={
            "RefreshToken": iam.PolicyDocument(
                statements=[
                    _allow("WriteOwnLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], log_group.log_group_arn),
                    _allow(
                        "Trace",
                        ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
                        "*",
                        conditions=_IN_THIS_REGION,
                    ),
                    *secret.statements(replace=issuer.refreshes),
                    *_refresh_statements(issuer, app_secret, lock_table),
                    _allow("ReportFailure", ["sqs:SendMessage"], dead_letters.queue_arn),
                ]
            )
        },
    )
    acknowledge(
        role,
        {
            "AwsSolutions-IAM5[Resource::*]": "X-Ray and amplifyuibuilder:RefreshToken have no resource types. "
            "A condition limits their permissions to this region."
        },
    )
    return role


def _allow(
    sid: str, actions: list[str], resource: str, *, conditions: dict[str, dict[str, str]] | None = None
) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=sid, actions=actions, resources=[resource], conditions=conditions)


def _refresh_statements(
    issuer: Issuer, app_secret: AppSecret | None, lock_table: dynamodb.ITable
) -> list[iam.PolicyStatement]:
    """Return the permissions to claim a refresh and to call the issuer. Without refreshes there are none."""
    if not issuer.refreshes:
        return []
    return [
        _allow("ClaimRefresh", _LOCK_ACTIONS, lock_table.table_arn),
        *(app_secret.statements() if app_secret else []),
        *([_refresh_at_ui_builder()] if issuer.calls_ui_builder else []),
    ]


def _refresh_at_ui_builder() -> iam.PolicyStatement:
    return _allow("RefreshAtUiBuilder", ["amplifyuibuilder:RefreshToken"], "*", conditions=_IN_THIS_REGION)

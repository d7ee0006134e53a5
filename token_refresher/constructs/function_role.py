"""The function's role, which allows exactly what the function does, and whatever an app grants it."""

from collections.abc import Callable

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct, IDependable

from token_refresher.constructs.acknowledgements import INLINE, acknowledge
from token_refresher.constructs.app_secret import AppSecret, read_credentials
from token_refresher.constructs.empty_secret import any_key_as_shown
from token_refresher.constructs.signing_key import SigningKey
from token_refresher.constructs.statements import (
    ANY_RESOURCE,
    allow,
    refresh_at_ui_builder,
    run,
    send_events,
    use_table_key,
)
from token_refresher.constructs.token_secret import TokenSecret
from token_refresher.issuers import Issuer

_LOCK_ACTIONS = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]

Allow = Callable[..., None]
"""Adds policy statements to those of the function's role."""


def function_role(  # noqa: PLR0913 (keyword-only)
    scope: Construct,
    *,
    issuer: Issuer,
    log_group: logs.ILogGroup,
    secret: TokenSecret,
    app_secret: AppSecret | None,
    signing_key: SigningKey | None,
    lock_table: dynamodb.ITable,
    event_bus: str | None,
    tracing: bool,
    in_network: bool,
    existing: iam.IRole | None,
) -> tuple[iam.IRole, list[IDependable], Allow]:
    """Add the role to `scope`, or its permissions to an existing role.

    Return the role, what the function must wait for, and what adds further permissions.
    """
    statements = [
        *run(log_group, tracing=tracing, in_network=in_network),
        *secret.statements(replace=issuer.refreshes),
        *_refresh_statements(issuer, app_secret, signing_key, lock_table),
        *([use_table_key("UseKeyForClaims", lock_table.encryption_key)] if lock_table.encryption_key else []),
        *([send_events(scope, event_bus)] if event_bus else []),
    ]
    if existing:
        added = iam.Policy(scope, "RolePolicy", statements=statements)
        existing.attach_inline_policy(added)  # an immutable role stays as it is
        _acknowledge(added)
        return existing, [added], added.add_statements
    document = iam.PolicyDocument(statements=statements)
    role = iam.Role(
        scope,
        "Role",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={"RefreshToken": document},
    )
    _acknowledge(role)
    return role, [], document.add_statements


def _acknowledge(resource: Construct) -> None:
    acknowledge(
        resource,
        {
            "AwsSolutions-IAM5[Resource::*]": ANY_RESOURCE,
            f"AwsSolutions-IAM5[Resource::{any_key_as_shown(resource)}]": "Only through Secrets Manager, and only the "
            "key that encrypts the stack's own secret. A role that named it would be refused while the key changes.",
            **INLINE,
        },
    )


def _refresh_statements(
    issuer: Issuer, app_secret: AppSecret | None, signing_key: SigningKey | None, lock_table: dynamodb.ITable
) -> list[iam.PolicyStatement]:
    """Return the permissions to claim a refresh and to call the issuer. Without refreshes, reports are remembered."""
    if not issuer.refreshes:
        return [allow("RememberReports", ["dynamodb:GetItem", "dynamodb:UpdateItem"], lock_table.table_arn)]
    return [
        allow("ClaimRefresh", _LOCK_ACTIONS, lock_table.table_arn),
        *(read_credentials([app_secret]) if app_secret else []),
        *(signing_key.statements() if signing_key else []),
        *([refresh_at_ui_builder()] if issuer.calls_ui_builder else []),
    ]

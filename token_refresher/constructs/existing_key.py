"""Keys that an app brings along, for services that use a key by its policy and not by a role."""

from aws_cdk import Annotations, Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct


def let_service_use(key: kms.IKey, scope: Construct, statement: iam.PolicyStatement) -> None:
    """Add the statement to the key's policy. If the key was imported, synthesis says what its policy must allow."""
    if not key.add_to_resource_policy(statement, allow_no_op=True).statement_added:
        Annotations.of(scope).add_warning_v2(
            f"refresh-token:key:{statement.sid}",
            "The policy of an imported key cannot be changed. It must have the statement "
            f"{statement.sid} of docs/infrastructure.md#keys.",
        )


def let_logs_encrypt(key: kms.IKey, scope: Construct) -> None:
    """Let CloudWatch Logs use the key for log groups of this account and region (CloudWatch Logs User Guide)."""
    stack = Stack.of(scope)
    let_service_use(
        key,
        scope,
        iam.PolicyStatement(
            sid="LetLogsEncrypt",
            principals=[iam.ServicePrincipal(f"logs.{stack.region}.{Aws.URL_SUFFIX}")],
            actions=["kms:Decrypt*", "kms:Describe*", "kms:Encrypt*", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
            resources=["*"],
            conditions={
                "ArnLike": {
                    "kms:EncryptionContext:aws:logs:arn": stack.format_arn(service="logs", resource="log-group:*")
                }
            },
        ),
    )

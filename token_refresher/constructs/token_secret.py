"""The secret with the token pair, and its own key if it has one."""

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from token_refresher.constructs.empty_secret import empty_secret, only_for

READ = ("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue")
WRITE = ("secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage")


class TokenSecret(Construct):
    """An operator fills it, then the function keeps it up to date. An `AppSecret` uses the same `key`."""

    def __init__(
        self, scope: Construct, construct_id: str, *, customer_managed_key: bool, removal_policy: RemovalPolicy
    ) -> None:
        super().__init__(scope, construct_id)
        self.key = _key(self, removal_policy) if customer_managed_key else None
        self.arn = empty_secret(
            self,
            description="Figma token pair, written by an operator and by the refresh function.",
            key=self.key,
            removal_policy=removal_policy,
            no_rotation="Native rotation would leave a dead token in place between its steps. "
            "The schedule and the refresh function rotate instead.",
        )

    def statements(self, *, replace: bool) -> list[iam.PolicyStatement]:
        """Return the permissions to read the pair, and with `replace` also to replace it."""
        sid, actions = ("KeepTokenPair", [*READ, *WRITE]) if replace else ("ReadToken", [*READ])
        statements = [iam.PolicyStatement(sid=sid, actions=actions, resources=[self.arn])]
        if self.key:
            statements.append(
                iam.PolicyStatement(
                    sid="UseKeyForTokenPair" if replace else "UseKeyForToken",
                    actions=["kms:Decrypt", *(["kms:GenerateDataKey"] if replace else [])],
                    resources=[self.key.key_arn],
                    conditions=only_for(self.arn, region=Stack.of(self).region),
                )
            )
        return statements

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let a grantee in this account read the pair."""
        grant = iam.Grant.add_to_principal(grantee=grantee, actions=[*READ], resource_arns=[self.arn])
        if not self.key:
            return grant
        return grant.combine(
            iam.Grant.add_to_principal(
                grantee=grantee,
                actions=["kms:Decrypt"],
                resource_arns=[self.key.key_arn],
                conditions=only_for(self.arn, region=Stack.of(self).region),
            )
        )


def _key(scope: Construct, removal_policy: RemovalPolicy) -> kms.Key:
    """Return the secrets' own key. IAM policies of this account decide who may use it.

    It encrypts the pair and the app's credentials only. Logs, lock and dead letters hold no token, and people need them
    most when the key itself is the problem.
    """
    return kms.Key(
        scope,
        "Key",
        description="Encrypts the Figma token pair and, if there are any, the app's credentials.",
        enable_key_rotation=True,
        removal_policy=removal_policy,
        pending_window=None if removal_policy is RemovalPolicy.RETAIN else Duration.days(7),
    )

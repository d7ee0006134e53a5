"""The secret that holds the token pair, and the key that encrypts it where it has one of its own."""

from aws_cdk import Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.acknowledgements import acknowledge

READ = ("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue")
WRITE = ("secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage")


class TokenSecret(Construct):
    """A secret that CloudFormation creates and never fills."""

    def __init__(
        self, scope: Construct, construct_id: str, *, customer_managed_key: bool, removal_policy: RemovalPolicy
    ) -> None:
        super().__init__(scope, construct_id)
        self.key = _key(self, removal_policy) if customer_managed_key else None
        # The L1 on purpose. The L2 always renders SecretString or GenerateSecretString, and a change of either makes
        # a later deployment write a new version over the live pair.
        resource = secretsmanager.CfnSecret(
            self,
            "Resource",
            description="Figma token pair, written by whoever seeds it and by the refresh function.",
            kms_key_id=self.key.key_arn if self.key else None,
        )
        resource.apply_removal_policy(removal_policy)
        reasons = {
            "AwsSolutions-SMG4": "Native rotation leaves the live token dead between its steps; "
            "the schedule and the refresh function rotate instead."
        }
        if not self.key:
            reasons["CKV_AWS_149"] = "Encrypted with the account's own key; customer_managed_key asks for another."
        acknowledge(resource, reasons)
        # The ARN, as Ref is on AWS; but Ref is the bare name on emulators.
        self.arn = resource.attr_id

    def statements(self) -> list[iam.PolicyStatement]:
        """Return what it takes to read and to replace the pair."""
        statements = [iam.PolicyStatement(sid="KeepTokenPair", actions=[*READ, *WRITE], resources=[self.arn])]
        if self.key:
            statements.append(
                iam.PolicyStatement(
                    sid="UseKeyForTokenPair",
                    actions=["kms:Decrypt", "kms:GenerateDataKey"],
                    resources=[self.key.key_arn],
                    conditions=self._for_this_secret(),
                )
            )
        return statements

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody of this account read the pair."""
        grant = iam.Grant.add_to_principal(grantee=grantee, actions=[*READ], resource_arns=[self.arn])
        if not self.key:
            return grant
        return grant.combine(
            iam.Grant.add_to_principal(
                grantee=grantee,
                actions=["kms:Decrypt"],
                resource_arns=[self.key.key_arn],
                conditions=self._for_this_secret(),
            )
        )

    def _for_this_secret(self) -> dict[str, dict[str, str]]:
        """Through Secrets Manager, which names the secret as the encryption context, and for nothing else.

        The region is that of the secret, whose name stays where a stack in another region grants somebody.
        """
        return {
            "StringEquals": {
                "kms:ViaService": f"secretsmanager.{Stack.of(self).region}.{Aws.URL_SUFFIX}",
                "kms:EncryptionContext:SecretARN": self.arn,
            }
        }


def _key(scope: Construct, removal_policy: RemovalPolicy) -> kms.Key:
    """Return a key of the secret's own, which nobody uses but through IAM policies of this account.

    It guards the pair and nothing else: logs, lock and dead letters hold no token, and are most needed when the key is
    what is at fault.
    """
    return kms.Key(
        scope,
        "Key",
        description="Encrypts the Figma token pair.",
        enable_key_rotation=True,
        removal_policy=removal_policy,
        pending_window=None if removal_policy is RemovalPolicy.RETAIN else Duration.days(7),
    )

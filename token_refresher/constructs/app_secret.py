"""The secret with the credentials of the team's own app, for an issuer that needs them."""

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from token_refresher.constructs.empty_secret import empty_secret, only_for


class AppSecret(Construct):
    """An operator fills it, the function reads it. It shares the key of the token pair, if there is one.

    The function's role may read it. No resource policy denies it to others: an operator who signs in reads it too.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, key: kms.Key | None, removal_policy: RemovalPolicy
    ) -> None:
        super().__init__(scope, construct_id)
        self._key = key
        self.arn = empty_secret(
            self,
            description="Credentials of the app that refreshes, written by `tokenctl app-credentials`.",
            key=key,
            removal_policy=removal_policy,
            no_rotation="Only the issuer can issue another client secret, and a person stores it.",
        )

    def statements(self) -> list[iam.PolicyStatement]:
        """Return the permissions to read the credentials."""
        read = iam.PolicyStatement(
            sid="ReadAppCredentials", actions=["secretsmanager:GetSecretValue"], resources=[self.arn]
        )
        if not self._key:
            return [read]
        decrypt = iam.PolicyStatement(
            sid="UseKeyForAppCredentials",
            actions=["kms:Decrypt"],
            resources=[self._key.key_arn],
            conditions=only_for(self.arn, region=Stack.of(self).region),
        )
        return [read, decrypt]

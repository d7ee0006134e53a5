"""The secret with the credentials of the team's own app, for an issuer that needs them."""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from token_refresher.constructs.empty_secret import complete_arn, empty_secret, keys_for, only_for
from token_refresher.constructs.statements import allow


class AppSecret(Construct):
    """An operator fills it, the function reads it. A new one shares the key of the token pair, if there is one.

    A new one is never deleted with a change of the issuer or with the stack: only a person can get its contents again.
    The function's role may read it. No resource policy denies it to others: an operator who signs in reads it too.
    `prop` is the name of the argument that brings an existing one along.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        existing: secretsmanager.ISecret | None,
        key: kms.IKey | None,
        prop: str = "app_secret",
    ) -> None:
        super().__init__(scope, construct_id)
        self.key = existing.encryption_key if existing else key
        if existing:
            self.arn = complete_arn(existing, prop)
            return
        self.arn = empty_secret(
            self,
            description="Credentials of the app that refreshes, written by `tokenctl app-credentials`.",
            key=key,
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
            no_rotation="Only the issuer can issue another client secret, and a person stores it.",
        )


def read_credentials(secrets: Sequence[AppSecret]) -> list[iam.PolicyStatement]:
    """Return the permissions to read the credentials of these apps."""
    arns = [secret.arn for secret in secrets]
    read = allow("ReadAppCredentials", ["secretsmanager:GetSecretValue"], *arns)
    keys = dict.fromkeys(key for secret in secrets for key in keys_for(secret, secret.key))
    region = Stack.of(secrets[0]).region
    decrypt = allow("UseKeyForAppCredentials", ["kms:Decrypt"], *keys, conditions=only_for(*arns, region=region))
    return [read, decrypt]

"""The key that signs the assertions of an issuer that wants JWTs. Its private half is imported and never leaves KMS."""

from typing import Final

from aws_cdk import Aws, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

KEY_SPECS: Final = {
    **dict.fromkeys(("RS", "PS"), "RSA_2048"),
    "ES256": "ECC_NIST_P256",
    "ES384": "ECC_NIST_P384",
    "ES512": "ECC_NIST_P521",
}
"""The kind of KMS key that signs with an algorithm of RFC 7518, by the algorithm's name or its first two letters."""


class SigningKey(Construct):
    """An operator imports the private key with `tokenctl import-key`; the function has KMS sign with it.

    CloudFormation creates the key without material. KMS takes no second private key into it (AWS KMS Developer Guide,
    "Importing key material"), so each issuer and each `number` has a key of its own. A key is never deleted with a
    change of the issuer or with the stack: only a person can get its contents again.
    """

    def __init__(self, scope: Construct, construct_id: str, *, issuer: str, algorithm: str, number: int) -> None:
        super().__init__(scope, construct_id)
        spec = KEY_SPECS.get(algorithm) or KEY_SPECS[algorithm[:2]]
        # The L2 construct cannot create a key without material.
        key = kms.CfnKey(
            self,
            f"{issuer}{spec}" if number == 1 else f"{issuer}{spec}Number{number}",
            description=f"Signs the assertions for {issuer}. The private key comes from `tokenctl import-key`.",
            origin="EXTERNAL",
            key_spec=spec,
            key_usage="SIGN_VERIFY",
            key_policy=_policy(self),
        )
        key.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        self.arn: str = key.attr_arn

    def statements(self) -> list[iam.PolicyStatement]:
        """Return the permission to sign."""
        return [iam.PolicyStatement(sid="SignAssertions", actions=["kms:Sign"], resources=[self.arn])]


def _policy(scope: Construct) -> iam.PolicyDocument:
    """Return the policy that lets the IAM policies of the account decide who may use the key."""
    root = f"arn:{Aws.PARTITION}:iam::{Stack.of(scope).account}:root"
    statement = iam.PolicyStatement(principals=[iam.ArnPrincipal(root)], actions=["kms:*"], resources=["*"])
    return iam.PolicyDocument(statements=[statement])

"""A secret that CloudFormation creates and never fills, and what it takes to use its key."""

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from token_refresher.constructs.acknowledgements import acknowledge


def empty_secret(
    scope: Construct, *, description: str, key: kms.Key | None, removal_policy: RemovalPolicy, no_rotation: str
) -> str:
    """Add a secret without a value; return its ARN. `no_rotation` is why Secrets Manager does not rotate it."""
    # The L1 on purpose. The L2 always renders SecretString or GenerateSecretString, and a change of either makes
    # a later deployment write a new version over the live value.
    resource = secretsmanager.CfnSecret(
        scope, "Resource", description=description, kms_key_id=key.key_arn if key else None
    )
    resource.apply_removal_policy(removal_policy)
    reasons = {"AwsSolutions-SMG4": no_rotation}
    if not key:
        reasons["CKV_AWS_149"] = "Encrypted with the account's own key; customer_managed_key asks for another."
    acknowledge(resource, reasons)
    # The ARN, as Ref is on AWS; but Ref is the bare name on emulators.
    return resource.attr_id


def only_for(secret_arn: str, *, region: str) -> dict[str, dict[str, str]]:
    """Through Secrets Manager, which names the secret as the encryption context, and for nothing else.

    The region is the secret's, whose name stays where a stack in another region grants somebody.
    """
    return {
        "StringEquals": {
            "kms:ViaService": f"secretsmanager.{region}.{Aws.URL_SUFFIX}",
            "kms:EncryptionContext:SecretARN": secret_arn,
        }
    }

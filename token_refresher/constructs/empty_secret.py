"""A secret that CloudFormation creates but never fills, and the condition for using its key."""

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from token_refresher.constructs.acknowledgements import acknowledge


def empty_secret(
    scope: Construct, *, description: str, key: kms.Key | None, removal_policy: RemovalPolicy, no_rotation: str
) -> str:
    """Add a secret without a value and return its ARN. `no_rotation` says why Secrets Manager does not rotate it."""
    # The L1 construct on purpose. The L2 always renders SecretString or GenerateSecretString, and if either changes, a
    # later deployment overwrites the live value.
    resource = secretsmanager.CfnSecret(
        scope, "Resource", description=description, kms_key_id=key.key_arn if key else None
    )
    resource.apply_removal_policy(removal_policy)
    reasons = {"AwsSolutions-SMG4": no_rotation}
    if not key:
        reasons["CKV_AWS_149"] = "Encrypted with the account's own key. Set customer_managed_key to use another."
    acknowledge(resource, reasons)
    # On AWS, Ref is the ARN too. On emulators it is only the name.
    return resource.attr_id


def only_for(secret_arn: str, *, region: str) -> dict[str, dict[str, str]]:
    """Return the condition that Secrets Manager uses the key, for this one secret (its encryption context).

    `region` is the secret's region, also when a stack in another region grants the permission.
    """
    return {
        "StringEquals": {
            "kms:ViaService": f"secretsmanager.{region}.{Aws.URL_SUFFIX}",
            "kms:EncryptionContext:SecretARN": secret_arn,
        }
    }

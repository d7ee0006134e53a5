"""A secret that CloudFormation creates but never fills, and the condition for using its key."""

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from token_refresher.constructs.acknowledgements import acknowledge
from token_refresher.settings.reader import SettingsError


def empty_secret(  # noqa: PLR0913 (keyword-only)
    scope: Construct,
    *,
    description: str,
    key: kms.IKey | None,
    removal_policy: RemovalPolicy,
    no_rotation: str,
    name: str | None = None,
) -> str:
    """Add a secret without a value and return its ARN. `no_rotation` says why Secrets Manager does not rotate it."""
    # The L1 construct on purpose. The L2 always renders SecretString or GenerateSecretString, and if either changes, a
    # later deployment overwrites the live value.
    resource = secretsmanager.CfnSecret(
        scope, "Resource", name=name, description=description, kms_key_id=key.key_arn if key else None
    )
    resource.apply_removal_policy(removal_policy)
    reasons = {"AwsSolutions-SMG4": no_rotation, "-SecretsManagerRotationEnabled": no_rotation}
    if not key:
        reasons["CKV_AWS_149"] = "Encrypted with the account's own key. Set customer_managed_key to use another."
    acknowledge(resource, reasons)
    # On AWS, Ref is the ARN too. On emulators it is only the name.
    return resource.attr_id


def complete_arn(secret: secretsmanager.ISecret, prop: str) -> str:
    """Return the ARN of an existing secret, with the six characters at its end.

    Raises:
        SettingsError: the secret was imported without them, so that no policy can name it.

    """
    if secret.secret_full_arn is None:
        raise SettingsError([f"{prop}: must have its complete ARN. Import it with Secret.from_secret_complete_arn"])
    return secret.secret_full_arn


def via_secrets_manager(region: str) -> str:
    """Return what KMS calls Secrets Manager in this region."""
    return f"secretsmanager.{region}.{Aws.URL_SUFFIX}"


def only_for(secret_arn: str, *, region: str) -> dict[str, dict[str, str]]:
    """Return the condition that Secrets Manager uses the key, for this one secret (its encryption context).

    `region` is the secret's region, also when a stack in another region grants the permission.
    """
    return {
        "StringEquals": {
            "kms:ViaService": via_secrets_manager(region),
            "kms:EncryptionContext:SecretARN": secret_arn,
        }
    }

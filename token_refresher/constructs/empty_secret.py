"""A secret that CloudFormation creates but never fills, and what a role needs for its key."""

from typing import Any

from aws_cdk import Aws, RemovalPolicy, Stack, Token
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


def only_for(*secret_arns: str, region: str) -> dict[str, dict[str, Any]]:
    """Return the condition that Secrets Manager uses the key, for these secrets only (its encryption context).

    `region` is the secrets' region, also when a stack in another region grants the permission.
    """
    return {
        "StringEquals": {
            "kms:ViaService": via_secrets_manager(region),
            "kms:EncryptionContext:SecretARN": secret_arns[0] if len(secret_arns) == 1 else [*secret_arns],
        }
    }


def keys_for(role_scope: Construct, key: kms.IKey | None) -> list[str]:
    """Return the keys that the function's role may use under the condition `only_for`: each of this account.

    When a secret gets another key, CloudFormation changes the secret and only then the role. A role that named the key
    would be refused in between, and so would the one that a rollback finds. A key of another account is named.
    """
    stack = Stack.of(role_scope)
    keys = [stack.format_arn(service="kms", resource="key", resource_name="*")]
    return [*keys, key.key_arn] if key and key.env.account != stack.account else keys


def any_key_as_shown(scope: Construct) -> str:
    """Return the account's keys as cdk-nag writes them in a finding."""
    stack = Stack.of(scope)
    region = "<AWS::Region>" if Token.is_unresolved(stack.region) else stack.region
    account = "<AWS::AccountId>" if Token.is_unresolved(stack.account) else stack.account
    return f"arn:<AWS::Partition>:kms:{region}:{account}:key/*"

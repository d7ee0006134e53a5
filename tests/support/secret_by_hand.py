"""Storing a secret past the code under test."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.client import SecretsManagerClient


def store_by_hand(client: "SecretsManagerClient", secret: str, text: str) -> str:
    """Store a text as an operator does who overwrites the secret; return its version.

    A plain PutSecretValue would do, but moto takes AWSCURRENT from the version that a *put* made current last, not
    from one that UpdateSecretVersionStage did, and then has two of them. So: put aside, and move the label.
    """
    stages = client.describe_secret(SecretId=secret).get("VersionIdsToStages", {})
    current = next((version for version, labels in stages.items() if "AWSCURRENT" in labels), None)
    if current is None:
        return client.put_secret_value(SecretId=secret, SecretString=text)["VersionId"]
    new = client.put_secret_value(SecretId=secret, SecretString=text, VersionStages=["BYHAND"])["VersionId"]
    client.update_secret_version_stage(
        SecretId=secret, VersionStage="AWSCURRENT", MoveToVersionId=new, RemoveFromVersionId=current
    )
    return new

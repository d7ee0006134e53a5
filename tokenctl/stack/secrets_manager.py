"""Reading and writing a secret."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from tokenctl.errors import ServiceError, TokenctlError
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.deploy_command import how_to_recreate, how_to_restore
from tokenctl.stack.target import Target


class LostSecretError(ServiceError):
    """Somebody has deleted a secret, or scheduled it for deletion: Secrets Manager hands out nothing."""

    def __init__(self, what: str, how: str) -> None:
        super().__init__(f"{what}. To restore it: {how}.")
        self.what = what
        self.how = how


def get_current_value(target: Target, arn: str) -> dict[str, Any]:
    """Return the answer of GetSecretValue; a secret that has no value yet counts as one with the empty text.

    Raises:
        LostSecretError: the secret does not exist, or is scheduled for deletion.
        ServiceError, ConfigurationError: Secrets Manager fails or denies access.

    """
    from botocore.exceptions import ClientError

    client = target.aws.client("secretsmanager")
    with translate_aws_errors():
        try:
            value: dict[str, Any] = client.get_secret_value(SecretId=arn)
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"ResourceNotFoundException", "InvalidRequestException"}:
                raise
            # Secrets Manager answers alike for a secret without a value and for one that does not exist.
            _require_secret(target, arn)
            if error.response["Error"]["Code"] == "InvalidRequestException":
                raise
            value = {"SecretString": ""}
    return value


def _require_secret(target: Target, arn: str) -> None:
    """Raise LostSecretError if the secret does not exist, or is scheduled for deletion."""
    from botocore.exceptions import ClientError

    name = arn.rpartition(":")[2]
    try:
        described = target.aws.client("secretsmanager").describe_secret(SecretId=arn)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        raise LostSecretError(f"The secret {name} is gone", how_to_recreate(target)) from None
    if described.get("DeletedDate"):
        by_hand = f"`aws secretsmanager restore-secret --secret-id {arn}`"
        how = by_hand if target.named_function else how_to_restore(target)
        raise LostSecretError(f"The secret {name} is scheduled for deletion", how)


def get_value_of(target: Target, arn: str, version_id: str) -> dict[str, Any]:
    """Return the answer of GetSecretValue for a version; raises ServiceError or ConfigurationError."""
    client = target.aws.client("secretsmanager")
    with translate_aws_errors():
        value: dict[str, Any] = client.get_secret_value(SecretId=arn, VersionId=version_id)
    return value


def put_document(target: Target, arn: str, document: Mapping[str, object]) -> str:
    """Store a JSON document as the secret's current version; return the id of that version.

    Raises:
        ServiceError, ConfigurationError: Secrets Manager fails or denies access. The message shows no text of the
            document.

    """
    client = target.aws.client("secretsmanager")
    with translate_aws_errors(_texts_in(document)):
        answer = client.put_secret_value(SecretId=arn, SecretString=json.dumps(dict(document)))
    return str(answer["VersionId"])


def swap_document(
    target: Target, arn: str, document: Mapping[str, object], *, expected: str, version_id: str | None = None
) -> str:
    """Store a JSON document as the current version if `expected` still is; return the id of the new version.

    It gets `version_id`, unless that is the id of another document already.

    Raises:
        TokenctlError: another version is current.
        ServiceError, ConfigurationError: Secrets Manager fails or denies access. The message shows no text of the
            document.

    """
    client, text = target.aws.client("secretsmanager"), json.dumps(dict(document))
    with translate_aws_errors(_texts_in(document)):
        try:
            put = client.put_secret_value(
                SecretId=arn,
                ClientRequestToken=version_id or str(uuid4()),
                SecretString=text,
                VersionStages=["AWSPENDING"],
            )
        except client.exceptions.ResourceExistsException:
            put = client.put_secret_value(SecretId=arn, SecretString=text, VersionStages=["AWSPENDING"])
        new = str(put["VersionId"])
        from_ = {"RemoveFromVersionId": expected} if expected else {}
        try:
            client.update_secret_version_stage(SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=new, **from_)
        except (client.exceptions.InvalidParameterException, client.exceptions.InvalidRequestException):
            changed = "Meanwhile, somebody else has stored something in the secret. Run the command again."
            raise TokenctlError(changed) from None
    return new


def _texts_in(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    members = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return [text for member in members for text in _texts_in(member)]

"""The secret that holds the token pair."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from refresh_token.core.ports import StoredPair
from refresh_token.core.secret_format import HOW_TO_SEED, parse_pair
from refresh_token.core.token_pair import TokenPair
from refresh_token.errors import RefreshTokenError, SecretNotSeededException
from tokenctl.errors import TokenctlError, UsageError
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.secrets_manager import get_current_value, put_document
from tokenctl.stack.target import Target


class NoPairError(TokenctlError):
    """The secret holds no token pair."""


@dataclass(frozen=True, kw_only=True)
class SecretVersion:
    """A version of the secret, with its staging labels, such as AWSCURRENT."""

    version_id: str
    stages: list[str]
    created: datetime


def validate_pair(text: str) -> TokenPair:
    """Parse a pair that is about to be stored; raises UsageError, which names keys but shows no values."""
    try:
        return parse_pair(text, created=datetime.now(UTC))
    except SecretNotSeededException:
        fault = "There is no token pair in it: it has neither `accessToken` nor `refreshToken`. Nothing was stored."
    except RefreshTokenError as error:
        # The function's message is about the secret, and ends with how to seed it, which the operator is doing.
        message = str(error).removesuffix(HOW_TO_SEED).strip().removesuffix("Nothing was changed.").strip()
        fault = f"{message.replace('The secret is', 'The input is', 1)} Nothing was stored."
    raise UsageError(fault)


def store_pair(target: Target, document: Mapping[str, object]) -> str:
    """Store a pair, in any form of the secret format, as the current version; return the version's id.

    Raises:
        UsageError: the document is not a token pair.
        ServiceError, ConfigurationError: Secrets Manager fails or denies access.

    """
    validate_pair(json.dumps(dict(document)))
    return put_document(target, target.secret_arn, document)


def read_pair(target: Target) -> StoredPair:
    """Return the current pair.

    Raises:
        NoPairError: the secret is empty or holds something else. The message shows no values.
        ServiceError, ConfigurationError: Secrets Manager fails or denies access.

    """
    value = get_current_value(target, target.secret_arn)
    if "SecretString" not in value:
        raise NoPairError(f"The secret is not a token pair: it is binary. {HOW_TO_SEED}")
    try:
        pair = parse_pair(value["SecretString"], created=value.get("CreatedDate") or datetime.now(UTC))
    except RefreshTokenError as error:
        raise NoPairError(str(error)) from None
    return StoredPair(version_id=value["VersionId"], pair=pair)


def list_versions(target: Target) -> list[SecretVersion]:
    """Return the versions that have a staging label, newest first."""
    client = target.aws.client("secretsmanager")
    with translate_aws_errors():
        versions = client.list_secret_version_ids(SecretId=target.secret_arn)["Versions"]
    labelled = [version for version in versions if version.get("VersionStages")]
    # CreatedDate is in whole seconds; of two versions of the same second, the current one is newer.
    labelled.sort(key=lambda version: (version["CreatedDate"], "AWSCURRENT" in version["VersionStages"]), reverse=True)
    return [
        SecretVersion(
            version_id=version["VersionId"],
            stages=sorted(version["VersionStages"]),
            created=version["CreatedDate"].astimezone(UTC),
        )
        for version in labelled
    ]

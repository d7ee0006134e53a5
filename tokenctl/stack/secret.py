"""The secret of the stack: storing a token pair, and looking at what is stored."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from refresh_token.errors import RefreshTokenError, SecretNotSeededException
from refresh_token.token_pair import HOW_TO_SEED, TokenPair, parse_pair
from tokenctl.errors import TokenctlError, UsageError
from tokenctl.stack.target import Target, explained


class NoPairError(TokenctlError):
    """The secret holds no token pair, or something else."""


@dataclass(frozen=True, kw_only=True)
class StoredPair:
    """The current pair, and the version that holds it."""

    version_id: str
    created: datetime
    pair: TokenPair


def store_pair(target: Target, document: Mapping[str, object]) -> str:
    """Store a pair, in any form of contract 3, as the secret's current version; return the version's id.

    Raises:
        UsageError: it is not a token pair.
        ServiceError, ConfigurationError: Secrets Manager cannot be asked, or refuses.

    """
    check_pair(json.dumps(dict(document)))
    return put_document(target, target.secret_arn, document)


def put_document(target: Target, arn: str, document: Mapping[str, object]) -> str:
    """Store a document as a secret's current version; return the version's id. Raises as `store_pair`."""
    client = target.connection.client("secretsmanager")
    with explained(_strings(document)):
        answer = client.put_secret_value(SecretId=arn, SecretString=json.dumps(dict(document)))
    return str(answer["VersionId"])


def check_pair(text: str) -> TokenPair:
    """Read what somebody wants to store; raises UsageError, which names keys and no values."""
    try:
        return parse_pair(text, created=datetime.now(UTC))
    except SecretNotSeededException:
        fault = "There is no token pair in it: it has neither `accessToken` nor `refreshToken`. Nothing was stored."
    except RefreshTokenError as error:
        # The contract's message is about a secret, and ends with how to seed it, which is what is being done.
        said = str(error).removesuffix(HOW_TO_SEED).strip().removesuffix("Nothing was changed.").strip()
        fault = f"{said.replace('The secret is', 'What was given is', 1)} Nothing was stored."
    raise UsageError(fault)


def _strings(value: object) -> list[str]:
    """Return all texts in a document."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return [text for each in inner for text in _strings(each)]


def read_pair(target: Target) -> StoredPair:
    """Return the current pair.

    Raises:
        NoPairError: there is none, or something else is stored. The message holds no value.
        ServiceError, ConfigurationError: Secrets Manager cannot be asked, or refuses.

    """
    value = _current(target, target.secret_arn)
    if "SecretString" not in value:
        raise NoPairError(f"The secret is not a token pair: it is binary. {HOW_TO_SEED}")
    try:
        pair = parse_pair(value["SecretString"], created=value.get("CreatedDate") or datetime.now(UTC))
    except RefreshTokenError as error:
        raise NoPairError(str(error)) from None
    return StoredPair(version_id=value["VersionId"], created=value["CreatedDate"].astimezone(UTC), pair=pair)


def current_text(target: Target, arn: str) -> str | None:
    """Return the text of a secret, empty where it has no value yet, None where it is binary.

    Raises:
        ServiceError, ConfigurationError: there is no such secret; Secrets Manager cannot be asked, or refuses.

    """
    text: str | None = _current(target, arn).get("SecretString")
    return text


def _current(target: Target, arn: str) -> dict[str, Any]:
    from botocore.exceptions import ClientError

    client = target.connection.client("secretsmanager")
    with explained():
        try:
            value: dict[str, Any] = client.get_secret_value(SecretId=arn)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            # Secrets Manager says the same of a secret without a value as of none at all.
            client.describe_secret(SecretId=arn)
            value = {"SecretString": ""}
    return value


def read_versions(target: Target) -> list[tuple[str, list[str], datetime]]:
    """Return (id, stages, created) of each version that has a stage, the newest first."""
    client = target.connection.client("secretsmanager")
    with explained():
        versions = client.list_secret_version_ids(SecretId=target.secret_arn)["Versions"]
    staged = [version for version in versions if version.get("VersionStages")]
    # Two versions of the same second: the current one is the newer.
    staged.sort(key=lambda version: (version["CreatedDate"], "AWSCURRENT" in version["VersionStages"]), reverse=True)
    return [
        (version["VersionId"], sorted(version["VersionStages"]), version["CreatedDate"].astimezone(UTC))
        for version in staged
    ]

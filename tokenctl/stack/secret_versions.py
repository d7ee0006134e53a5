"""The versions of the secret that holds the token pair."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tokenctl.errors import UsageError
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.secrets_manager import get_value_of
from tokenctl.stack.target import Target


@dataclass(frozen=True, kw_only=True)
class SecretVersion:
    """A version of the secret, with its staging labels, such as AWSCURRENT."""

    version_id: str
    stages: list[str]
    created: datetime


def count_new_versions(target: Target, since: datetime) -> int:
    """Return how many versions were stored after a moment, those without a staging label included."""
    return sum(version["CreatedDate"] > since for version in _all_versions(target))


def read_version(target: Target, named: str) -> tuple[str, datetime]:
    """Return the text of a version and when it was stored; it is named by a label, its id or the beginning of that.

    Raises:
        UsageError: no version, or more than one, has that name, which is not repeated: it may be a misplaced token.
        ServiceError, ConfigurationError: Secrets Manager fails or denies access.

    """
    found = [
        version["VersionId"]
        for version in _all_versions(target)
        if named in version.get("VersionStages", ()) or version["VersionId"].startswith(named)
    ]
    if len(found) != 1:
        raise UsageError(
            f"The secret has {'more than one' if found else 'no'} version of that name. `tokenctl status` lists the "
            "versions. Nothing was stored."
        )
    value = get_value_of(target, target.secret_arn, found[0])
    return value.get("SecretString", ""), value["CreatedDate"].astimezone(UTC)


def _all_versions(target: Target) -> list[Any]:
    client = target.aws.client("secretsmanager")
    with translate_aws_errors():  # a secret keeps about as many versions as one answer can hold
        answer = client.list_secret_version_ids(SecretId=target.secret_arn, IncludeDeprecated=True, MaxResults=100)
    return list(answer["Versions"])


def is_moved_back(created: Mapping[str, Any]) -> bool:
    """Tell whether somebody has made an older version the current one, which storing a pair never does.

    `created` says when the version with each label was stored, as anything that can be compared.
    """
    labels = ("AWSCURRENT", "AWSPREVIOUS")
    return all(label in created for label in labels) and created["AWSCURRENT"] < created["AWSPREVIOUS"]


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

"""The lock table, and the table with the connections of a fleet. Their items stay as they are."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from tokenctl.drift.kind import Change, Kind, found
from tokenctl.drift.template import DeployedTemplate, Resource
from tokenctl.errors import TokenctlError

MAX_SECONDS: Final = 120
"""How long an index may take until it is filled, or gone."""

_PLAIN: Final = ("BillingMode", "DeletionProtectionEnabled")
_INDEXES, _EXPIRY, _KEY, _BACKUPS = (
    *("GlobalSecondaryIndexes", "TimeToLiveSpecification", "SSESpecification"),
    "PointInTimeRecoverySpecification",
)


def _read(stack: DeployedTemplate, resource: Resource) -> dict[str, Any] | None:
    client, name = stack.target.aws.client("dynamodb"), resource.physical_id
    answer = found(client.describe_table, TableName=name)
    if answer is None:
        return None
    table = answer["Table"]
    ttl = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    state = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    expires = ttl["TimeToLiveStatus"] in {"ENABLED", "ENABLING"}
    key = table.get("SSEDescription", {})
    own_key = key.get("Status") in {"ENABLED", "ENABLING", "UPDATING"}
    return {
        "BillingMode": table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
        "DeletionProtectionEnabled": table.get("DeletionProtectionEnabled", False),
        _INDEXES: _by_name(table.get(_INDEXES, ())),
        _EXPIRY: {"Enabled": expires, "AttributeName": ttl.get("AttributeName") if expires else None},
        _KEY: {"SSEEnabled": own_key, "SSEType": key.get("SSEType"), "KMSMasterKeyId": key.get("KMSMasterKeyArn")},
        _BACKUPS: {"PointInTimeRecoveryEnabled": state == "ENABLED"},
    }


def _by_name(indexes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {index["IndexName"]: {key: index[key] for key in ("KeySchema", "Projection")} for index in indexes}


def _restore(stack: DeployedTemplate, change: Change) -> None:
    client, name = stack.target.aws.client("dynamodb"), change.resource.physical_id
    settings = {key: change.wanted[key] for key in _PLAIN if change.touches(key)}
    if change.gone:
        keys = {key: change.resource.properties[key] for key in ("AttributeDefinitions", "KeySchema")}
        client.create_table(TableName=name, **keys, **settings)
    elif settings:
        client.update_table(TableName=name, **settings)
    _wait(client, name)
    if change.touches(_EXPIRY):
        _restore_expiry(client, name, change)
    if change.touches(_BACKUPS):
        wanted = {_BACKUPS: change.wanted[_BACKUPS]}
        client.update_continuous_backups(TableName=name, **wanted)
    if change.touches(_KEY) and not change.gone:
        specification = {"Enabled" if key == "SSEEnabled" else key: value for key, value in change.wanted[_KEY].items()}
        client.update_table(TableName=name, SSESpecification=specification)
        _wait(client, name)
    for index in sorted({each.path[1] for each in change.differences if each.setting == _INDEXES}):
        _restore_index(client, name, index, change)


def _wait(client: Any, name: str) -> None:  # noqa: ANN401 - a boto3 client
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": MAX_SECONDS})


def _restore_expiry(client: Any, name: str, change: Change) -> None:  # noqa: ANN401 - a boto3 client
    """Turn expiry on or off; to turn it off, DynamoDB wants to know the attribute."""
    wanted = change.wanted[_EXPIRY]
    attribute = wanted.get("AttributeName") or client.describe_time_to_live(TableName=name)[
        "TimeToLiveDescription"
    ].get("AttributeName")
    specification = {"Enabled": wanted["Enabled"], "AttributeName": attribute}
    client.update_time_to_live(TableName=name, TimeToLiveSpecification=specification)


def _restore_index(client: Any, name: str, index: str, change: Change) -> None:  # noqa: ANN401 - a boto3 client
    """Create an index; one with other keys or attributes is deleted before. DynamoDB then fills it from the items."""
    if _status_of(client, name, index) is not None:
        client.update_table(TableName=name, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": index}}])
        _wait_for_index(client, name, index, None)
    wanted = change.wanted[_INDEXES][index]
    keys = {key["AttributeName"] for key in wanted["KeySchema"]}
    client.update_table(
        TableName=name,
        AttributeDefinitions=[
            each for each in change.resource.properties["AttributeDefinitions"] if each["AttributeName"] in keys
        ],
        GlobalSecondaryIndexUpdates=[{"Create": {"IndexName": index, **wanted}}],
    )
    _wait_for_index(client, name, index, "ACTIVE")


def _status_of(client: Any, name: str, index: str) -> str | None:  # noqa: ANN401 - a boto3 client
    """Return the status of an index, None if there is none."""
    indexes = client.describe_table(TableName=name)["Table"].get(_INDEXES, ())
    return next((each.get("IndexStatus", "ACTIVE") for each in indexes if each["IndexName"] == index), None)


def _wait_for_index(client: Any, name: str, index: str, wanted: str | None) -> None:  # noqa: ANN401 - a boto3 client
    """Wait: DynamoDB creates or deletes one index of a table at a time."""
    deadline = time.monotonic() + MAX_SECONDS
    while (status := _status_of(client, name, index)) != wanted:
        if time.monotonic() > deadline:
            raise TokenctlError(f"The index `{index}` is still {status}. Run the command again when it is done.")
        time.sleep(1)


class _TableKind(Kind):
    def wanted(self, resource: Resource) -> dict[str, Any]:
        """Return the settings, with the indexes by their names, and the table's key as DynamoDB shows it."""
        wanted = {**super().wanted(resource)}
        return wanted | {_INDEXES: _by_name(wanted[_INDEXES])}

    def creates(self, resource: Resource) -> bool:
        """Tell whether nothing is lost with the items: all of a lock table expire soon."""
        return bool(resource.properties.get(_EXPIRY, {}).get("Enabled"))


TABLE: Final = _TableKind(
    type="AWS::DynamoDB::Table",
    read=_read,
    restore=_restore,
    settings=(*_PLAIN, _INDEXES, _EXPIRY, _KEY, _BACKUPS),
    defaults={
        "DeletionProtectionEnabled": False,
        _INDEXES: [],
        _EXPIRY: {"Enabled": False},
        _KEY: {"SSEEnabled": False},
    },
    backup="Restore the connections",
)

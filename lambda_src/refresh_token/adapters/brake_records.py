"""The Brakes port on items of the table of connections, one for each provider.

`brakedSince` is 0 while the provider is not braked, so that every call returns or changes only what it names.
"""

from typing import TYPE_CHECKING, Any, Final

from refresh_token.adapters.fleet_calls import guarded
from refresh_token.fleet.attributes import decode_item, encode
from refresh_token.fleet.brake import Brake
from refresh_token.fleet.table import OWN_PREFIX, PK
from refresh_token.fleet.update import names_in

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_TAKE: Final = (
    "SET #sent = :none, #failures = :none, #lookedAt = :now, #brakedSince = if_not_exists(#brakedSince, :none), "
    "#waiting = if_not_exists(#waiting, :none)"
)
_RECORD: Final = "SET #waiting = :waiting ADD #sent :sent"
_CHANGE: Final = "SET #waiting = :waiting, #brakedSince = :since ADD #sent :sent"
_FAIL: Final = "ADD #failures :one"


class BrakeRecords:
    """The records of one table."""

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._table = table
        self._client = client

    def take(self, provider: str, *, now: int) -> Brake:
        """Return the record, and set its counts to zero; see the port."""
        answer = self._update(provider, _TAKE, {":none": 0, ":now": now}, ReturnValues="UPDATED_OLD")
        old = {key: value for key, value in decode_item(answer.get("Attributes", {})).items() if isinstance(value, int)}
        return Brake(
            sent=old.get("sent", 0),
            failures=old.get("failures", 0),
            since=old.get("brakedSince", 0) or None,
            looked_at=old.get("lookedAt", 0),
            waiting=old.get("waiting", 0),
        )

    def record(self, provider: str, *, sent: int, waiting: int, since: int | None, changed: bool) -> None:
        """Count what was sent, and record a change; see the port."""
        values = {":sent": sent, ":waiting": waiting} | ({":since": since or 0} if changed else {})
        self._update(provider, _CHANGE if changed else _RECORD, values)

    def add_failure(self, provider: str) -> None:
        """Count a failed refresh; see the port."""
        self._update(provider, _FAIL, {":one": 1})

    def _update(self, provider: str, expression: str, values: dict[str, int], **more: Any) -> Any:  # noqa: ANN401 - botocore's types
        return guarded(
            "table",
            lambda: self._client.update_item(
                TableName=self._table,
                Key={PK: encode(f"{OWN_PREFIX}brake{OWN_PREFIX}{provider}")},
                UpdateExpression=expression,
                ExpressionAttributeNames=names_in(expression),
                ExpressionAttributeValues={name: encode(value) for name, value in values.items()},
                **more,
            ),
        )

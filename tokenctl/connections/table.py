"""The table of a fleet: reading its connections, and changing one if it still is what somebody saw."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from refresh_token.fleet.attributes import encode
from refresh_token.fleet.record import Record, read_record
from refresh_token.fleet.table import ACCESS_TOKEN, PAIR_KEYS, PK, UNKNOWN
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.many import for_each
from tokenctl.errors import TokenctlError
from tokenctl.stack.aws_errors import translate_aws_errors

MAX_KEYS: Final = 100
"""The most items that one call reads (Amazon DynamoDB API reference, BatchGetItem)."""

WITHOUT_TOKENS: Final = (
    *(PK, "state", "version", "storedAt", "policy", "params", "dueAt", "failure", "attempts"),
    *("claimId", "claimUntil", "openClaims", *PAIR_KEYS, UNKNOWN),
)
"""The attributes of a connection, apart from its tokens and the keys of the indexes."""


class ChangedError(TokenctlError):
    """A connection is no longer what somebody saw, or not there; nothing was changed."""

    def __init__(self, name: str, now: Record | None) -> None:
        super().__init__(f"Meanwhile, somebody else has changed {name}. Nothing was changed. Run the command again.")
        self.now = now
        """What it is instead; None if it is gone."""


class MissingError(TokenctlError):
    """The fleet has no connection of this name."""

    def __init__(self, name: str, target_option: str) -> None:
        super().__init__(
            f"There is no connection {name}. `tokenctl connections list {target_option}` shows those that exist."
        )


class Table:
    """The items of a fleet's connections."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._client = fleet.client("dynamodb")

    def get(self, name: str) -> Record:
        """Return a connection with its tokens; raises MissingError, and ServiceError if DynamoDB refuses."""
        found = self.find(name)
        if found is None:
            raise MissingError(name, self._fleet.target.option)
        return found

    def find(self, name: str) -> Record | None:
        """Return a connection with its tokens, None if there is none of that name."""
        with translate_aws_errors():
            answer = self._client.get_item(TableName=self._fleet.table, Key={PK: encode(name)}, ConsistentRead=True)
        return read_record(answer["Item"]) if "Item" in answer else None

    def find_all(self, names: Sequence[str]) -> dict[str, Record]:
        """Return those of the connections that exist, by name, without their tokens."""
        chunks = [names[first : first + MAX_KEYS] for first in range(0, len(names), MAX_KEYS)]
        return {record.name: record for _, found in for_each(chunks, self._find_some) for record in found}

    def _find_some(self, names: Sequence[str]) -> list[Record]:
        request: Mapping[str, Any] = {
            self._fleet.table: {
                "Keys": [{PK: encode(name)} for name in names],
                "ConsistentRead": True,
                "ProjectionExpression": ", ".join(f"#{name}" for name in WITHOUT_TOKENS),
                "ExpressionAttributeNames": {f"#{name}": name for name in WITHOUT_TOKENS},
            }
        }
        found: list[Record] = []
        with translate_aws_errors():
            while request:
                answer = self._client.batch_get_item(RequestItems=request)
                found += map(read_record, answer["Responses"].get(self._fleet.table, ()))
                request = answer.get("UnprocessedKeys") or {}
        return found

    def put(self, request: Mapping[str, Any]) -> None:
        """Store an item (`fleet.operator_writes`); raises ChangedError if its condition does not hold."""
        item = request["Item"]
        self._change("put_item", item[PK]["S"], request, item.get(ACCESS_TOKEN, {}).values())

    def update(self, request: Mapping[str, Any]) -> None:
        """Change an item (`fleet.operator_writes`); raises ChangedError if its condition does not hold."""
        self._change("update_item", request["Key"][PK]["S"], request)

    def delete(self, request: Mapping[str, Any]) -> None:
        """Delete an item (`fleet.operator_writes`); raises ChangedError if its condition does not hold."""
        self._change("delete_item", request["Key"][PK]["S"], request)

    def _change(self, operation: str, name: str, request: Mapping[str, Any], secrets: Iterable[str] = ()) -> None:
        with translate_aws_errors(secrets):
            try:
                getattr(self._client, operation)(TableName=self._fleet.table, **request)
            except self._client.exceptions.ConditionalCheckFailedException as error:
                item = error.response.get("Item")
            else:
                return
        raise ChangedError(name, read_record(item) if item else None)

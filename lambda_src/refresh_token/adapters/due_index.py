"""The DueIndex port on the two indexes of the table. It reads no token: the indexes hold none."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from refresh_token.adapters.aws_clients import Fault, attempt
from refresh_token.adapters.fleet_calls import checked, guarded
from refresh_token.fleet.attributes import decode_item
from refresh_token.fleet.ports import DueEntry
from refresh_token.fleet.record import read_record
from refresh_token.fleet.states import State, troubles_of
from refresh_token.fleet.table import DUE_INDEX, TROUBLE_INDEX
from refresh_token.fleet.update import names_in
from refresh_token.fleet.writes import lease

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_DUE: Final = "#slot = :slot AND #dueAt <= :now"
_SHOWN: Final = "#pk, #dueAt, #state, #policy, #expiresAt, #storedAt"
_IN_TROUBLE: Final = "#trouble = :trouble"
_REFUSED: Final = "ConditionalCheckFailedException"


class TableIndex:
    """The indexes of one table."""

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._table = table
        self._client = client

    def due(self, slot: str, *, now: int, page: int) -> Iterator[DueEntry]:
        """Return what is due in a slot, the most overdue first; see the port."""
        query = self._due_query(slot, now)
        shown = {"ProjectionExpression": _SHOWN, "ExpressionAttributeNames": names_in(_DUE, _SHOWN), "Limit": page}
        start: dict[str, Any] = {}
        while True:
            answer = self._query({**query, **shown, **start})
            yield from _entries(answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def count_due(self, slot: str, *, now: int) -> int:
        """Return how many are due in a slot, at least; see the port."""
        return int(self._query({**self._due_query(slot, now), "Select": "COUNT"})["Count"])

    def count_stuck(self) -> int:
        """Return how many connections are stuck, at least; see the port."""
        return sum(int(self._query(_stuck_query(trouble))["Count"]) for trouble in troubles_of(State.STUCK))

    def lease(self, connection: str, *, seen: float, until: int) -> bool:
        """Make a connection due at ``until`` if it still has the due time ``seen``; see the port."""
        request = lease(connection, due_at=seen, until=until)
        answer = attempt(lambda: self._client.update_item(TableName=self._table, **request))
        if isinstance(answer, Fault) and answer.code == _REFUSED:
            return answer.retried  # then it may be our own attempt before that has moved the due time
        checked("table", answer)
        return True

    def _query(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        return guarded("table", lambda: self._client.query(TableName=self._table, **query))

    @staticmethod
    def _due_query(slot: str, now: int) -> dict[str, Any]:
        return {
            "IndexName": DUE_INDEX,
            "KeyConditionExpression": _DUE,
            "ExpressionAttributeNames": names_in(_DUE),
            "ExpressionAttributeValues": {":slot": {"S": slot}, ":now": {"N": str(now)}},
        }


def _stuck_query(trouble: str) -> dict[str, Any]:
    return {
        "IndexName": TROUBLE_INDEX,
        "KeyConditionExpression": _IN_TROUBLE,
        "ExpressionAttributeNames": names_in(_IN_TROUBLE),
        "ExpressionAttributeValues": {":trouble": {"S": trouble}},
        "Select": "COUNT",
    }


def _entries(items: Iterable[Mapping[str, Any]]) -> Iterator[DueEntry]:
    """Return the entries, without those whose state somebody has damaged: no lease of them can hold."""
    for item in items:
        record, due_at = read_record(item), decode_item(item)["dueAt"]
        if record.state.is_kept_alive:
            yield DueEntry(
                connection=record.name,
                due_at=due_at if isinstance(due_at, int | float) else 0,
                active=record.state is State.ACTIVE,
                policy=record.policy,
                expires_at=record.expires_at,
                stored_at=record.stored_at,
            )

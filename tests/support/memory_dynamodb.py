"""DynamoDB in memory: one table of connections, a hundred times as fast as a served one, for models with many calls."""

import copy
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

from botocore.exceptions import ClientError

from refresh_token.fleet.table import (
    DUE_INDEX,
    DUE_KEYS,
    DUE_PROJECTION,
    PK,
    TROUBLE_INDEX,
    TROUBLE_KEYS,
    TROUBLE_PROJECTION,
)
from tests.support.dynamodb_expressions import holds, updated
from tests.support.fleet import FLEET_TABLE

INDEXES = {
    DUE_INDEX: (DUE_KEYS, {PK, *DUE_KEYS, *DUE_PROJECTION}),
    TROUBLE_INDEX: (TROUBLE_KEYS, {PK, *TROUBLE_KEYS, *TROUBLE_PROJECTION}),
}
PAGE = 1_000
"""The entries of a page without a limit."""


def nothing(_name: str, _call: dict[str, Any]) -> None:
    """Let a call be made."""


@dataclass
class MemoryDynamoDB:
    """The client of the table.

    `before` and `after` are called around each call, with its name and arguments, and may raise: then the call is not
    made, or its answer is lost.
    """

    before: Callable[[str, dict[str, Any]], None] = nothing
    after: Callable[[str, dict[str, Any]], None] = nothing
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._lock = RLock()

    def get_item(self, **call: Any) -> dict[str, Any]:
        return self._make("GetItem", call, self._get)

    def put_item(self, **call: Any) -> dict[str, Any]:
        return self._make("PutItem", call, self._put)

    def update_item(self, **call: Any) -> dict[str, Any]:
        return self._make("UpdateItem", call, self._update)

    def delete_item(self, **call: Any) -> dict[str, Any]:
        return self._make("DeleteItem", call, self._delete)

    def query(self, **call: Any) -> dict[str, Any]:
        return self._make("Query", call, self._query)

    def _make(
        self, name: str, call: dict[str, Any], make: Callable[[dict[str, Any]], dict[str, Any]]
    ) -> dict[str, Any]:
        assert call["TableName"] == FLEET_TABLE
        self.before(name, call)
        with self._lock:
            self.calls[name] += 1
            answer = copy.deepcopy(make(copy.deepcopy(call)))
        self.after(name, call)
        return answer

    def _get(self, call: dict[str, Any]) -> dict[str, Any]:
        assert call["ConsistentRead"], "an item that is not read consistently may be an old one"
        item = self.items.get(call["Key"][PK]["S"])
        return {} if item is None else {"Item": item}

    def _put(self, call: dict[str, Any]) -> dict[str, Any]:
        key = call["Item"][PK]["S"]
        old = self._checked(key, "PutItem", call)
        self.items[key] = call["Item"]
        return _shown(call, old, call["Item"])

    def _update(self, call: dict[str, Any]) -> dict[str, Any]:
        key = call["Key"][PK]["S"]
        old = self._checked(key, "UpdateItem", call)
        names, values = call.get("ExpressionAttributeNames", {}), call.get("ExpressionAttributeValues", {})
        self.items[key] = updated(call["UpdateExpression"], {**call["Key"], **old}, names, values)
        return _shown(call, old, self.items[key])

    def _delete(self, call: dict[str, Any]) -> dict[str, Any]:
        key = call["Key"][PK]["S"]
        old = self._checked(key, "DeleteItem", call)
        self.items.pop(key, None)
        return _shown(call, old, {})

    def _checked(self, key: str, name: str, call: dict[str, Any]) -> dict[str, Any]:
        """Return the item, an empty one if there is none, if the condition of a call holds."""
        item = self.items.get(key, {})
        names, values = call.get("ExpressionAttributeNames", {}), call.get("ExpressionAttributeValues", {})
        if "ConditionExpression" in call and not holds(call["ConditionExpression"], item, names, values):
            shows = item and call.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
            error: Any = {"Error": {"Code": "ConditionalCheckFailedException", "Message": "The condition failed"}}
            raise ClientError(error | ({"Item": copy.deepcopy(item)} if shows else {}), name)
        return item

    def _query(self, call: dict[str, Any]) -> dict[str, Any]:
        (key, sort), shown = INDEXES[call["IndexName"]]
        names, values = call.get("ExpressionAttributeNames", {}), call["ExpressionAttributeValues"]
        entries = (item for item in self.items.values() if key in item and sort in item)
        found = [item for item in entries if holds(call["KeyConditionExpression"], item, names, values)]
        found.sort(key=lambda item: _order(item, sort))
        start = call.get("ExclusiveStartKey")
        if start is not None:
            found = [item for item in found if _order(item, sort) > _order(start, sort)]
        page = found[: call.get("Limit", PAGE)]
        last = {"LastEvaluatedKey": {each: page[-1][each] for each in (PK, key, sort)}} if page != found else {}
        if call.get("Select") == "COUNT":
            return {"Count": len(page), **last}
        items = [{name: value for name, value in item.items() if name in shown} for item in page]
        return {"Items": items, "Count": len(page), **last}


def _shown(call: dict[str, Any], old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    changed = {name: value for name, value in old.items() if name in call.get("ExpressionAttributeNames", {}).values()}
    attributes = {"ALL_OLD": old, "ALL_NEW": new, "UPDATED_OLD": changed, "NONE": {}}[call.get("ReturnValues", "NONE")]
    return {"Attributes": attributes} if attributes else {}


def _order(item: dict[str, Any], sort: str) -> tuple[Any, str]:
    ((kind, value),) = item[sort].items()
    return (float(value) if kind == "N" else value), item[PK]["S"]

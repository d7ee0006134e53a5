"""Listing a fleet's connections from the table's two indexes, which hold no token.

The index `due` has every living connection, the index `trouble` all that are not active. The table is never scanned.
"""

import base64
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from refresh_token.core.windows import iso_utc
from refresh_token.fleet.names import slots_of, tenant_of
from refresh_token.fleet.providers import provider_named
from refresh_token.fleet.record import read_record
from refresh_token.fleet.states import State, troubles_of
from refresh_token.fleet.table import DUE_INDEX, DUE_KEYS, PK, TROUBLE_INDEX, TROUBLE_KEYS
from tokenctl.connections.fleet import AT_ONCE, Fleet
from tokenctl.errors import UsageError
from tokenctl.stack.aws_errors import translate_aws_errors

MIN_READ: Final = 100
"""How many rows one call reads at least: a filter may leave few of them."""

Item = dict[str, Any]

STATE_NAMES: Final = tuple(state.value for state in State)
"""The words for an option: click would take the members of an enumeration by their names."""


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Which connections to list; None: all."""

    states: Sequence[str] = STATE_NAMES
    provider: str | None = None
    tenant: str | None = None

    def match(self, row: dict[str, Any]) -> bool:
        """Tell whether a row, which has one of the states, is to be listed."""
        return self.provider in {None, row["provider"]} and self.tenant in {None, tenant_of(row["connection"])}


@dataclass(frozen=True)
class Partition:
    """One partition of an index, and which of the connections in it are to be listed."""

    index: str
    key: str
    state: State = State.ACTIVE

    @property
    def keys(self) -> tuple[str, str]:
        """The names of the index's keys, that of the partition first."""
        return DUE_KEYS if self.index == DUE_INDEX else TROUBLE_KEYS


@dataclass(frozen=True)
class Page:
    """Some of the connections, and where the next ones begin; None if there are none."""

    rows: list[dict[str, Any]]
    token: str | None


class Listing:
    """One walk through the connections of a fleet that match the filters, at most `limit` of them."""

    def __init__(self, fleet: Fleet, filters: Filters, *, limit: int | None = None) -> None:
        known = provider_named(filters.provider, fleet.settings.providers)
        if filters.provider and known:
            filters = replace(filters, provider=known.name)
        self._filters = filters
        self._limit = limit
        self._table = fleet.table
        self._partitions = _partitions(
            filters, [filters.provider] if filters.provider else sorted(fleet.settings.providers)
        )
        self._client = fleet.client("dynamodb")

    def pages(self, token: str | None = None) -> Iterator[Page]:
        """Yield the connections, after those of an earlier walk that ended with `token`.

        Raises:
            UsageError: the token is not one of this listing.
            ServiceError: DynamoDB refuses.

        """
        left, start = self._after(token)
        seen: set[str] = set()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for first in range(0, len(left), AT_ONCE):
                some = left[first : first + AT_ONCE]
                starts = [start, *([None] * (len(some) - 1))] if first == 0 else [None] * len(some)
                rows: list[dict[str, Any]] = []
                for partition, found in zip(some, pool.map(self._read, some, starts), strict=True):
                    for row, key in found:
                        if row["connection"] in seen:  # meanwhile it has moved to another partition
                            continue
                        seen.add(row["connection"])
                        rows.append(row)
                        if len(seen) == self._limit:
                            yield Page(rows, _token(partition, key))
                            return
                yield Page(rows, None)

    def _read(self, partition: Partition, start: Item | None) -> list[tuple[dict[str, Any], Item]]:
        """Return the rows of one partition after `start`, each with its key."""
        found: list[tuple[dict[str, Any], Item]] = []
        query = {
            "TableName": self._table,
            "IndexName": partition.index,
            "KeyConditionExpression": "#partition = :partition",
            "ExpressionAttributeNames": {"#partition": partition.keys[0]},
            "ExpressionAttributeValues": {":partition": {"S": partition.key}},
            **({"Limit": max(self._limit, MIN_READ)} if self._limit else {}),
        }
        while True:
            with translate_aws_errors():
                answer = self._client.query(**query, **({"ExclusiveStartKey": start} if start else {}))
            for item in answer["Items"]:
                row = _row(item)
                if row["state"] == partition.state and self._filters.match(row):
                    found.append((row, _key(item, partition)))
            start = answer.get("LastEvaluatedKey")
            if start is None or (self._limit is not None and len(found) >= self._limit):
                return found

    def _after(self, token: str | None) -> tuple[list[Partition], Item | None]:
        """Return the partitions from the token on, and the key after which the first one goes on."""
        if token is None:
            return self._partitions, None
        try:
            index, key, start = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
            return self._partitions[[(one.index, one.key) for one in self._partitions].index((index, key)) :], dict(
                start
            )
        except (ValueError, TypeError, RecursionError):
            pass
        raise UsageError("--starting-token is not one of this list. Give the one that it printed, with its filters.")


def _partitions(filters: Filters, providers: Sequence[str]) -> list[Partition]:
    """Return the partitions that hold the connections."""
    slots = [Partition(DUE_INDEX, slot) for name in providers for slot in slots_of(name)]
    states = [State(state) for state in filters.states if state != State.ACTIVE]
    troubles = [Partition(TROUBLE_INDEX, shard, state) for state in states for shard in troubles_of(state)]
    return [*(slots if State.ACTIVE in filters.states else ()), *troubles]


def _row(item: Item) -> dict[str, Any]:
    record = read_record(item)
    return {
        "connection": record.name,
        "provider": record.provider,
        "state": record.state.value,
        "expiresAt": record.expires_at and iso_utc(record.expires_at),
        "reason": record.failure and record.failure.reason,
        "dueAt": None if record.due_at is None else iso_utc(datetime.fromtimestamp(record.due_at, UTC)),
    }


def _key(item: Item, partition: Partition) -> Item:
    return {name: item[name] for name in (PK, *partition.keys)}


def _token(partition: Partition, key: Item) -> str:
    return base64.urlsafe_b64encode(json.dumps([partition.index, partition.key, key]).encode()).decode()

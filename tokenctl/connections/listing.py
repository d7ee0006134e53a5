"""Listing a fleet's connections from the table's two indexes, which hold no token.

The index `due` has every living connection, the index `trouble` all that are not active. The table is never scanned.
"""

import base64
import json
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
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
Read = tuple[list[tuple[dict[str, Any], Item]], Item | None]
"""Some rows of a partition, each with its key, and the key after which it goes on; None at its end."""

STATE_NAMES: Final = tuple(state.value for state in State)
"""The words for an option: click would take the members of an enumeration by their names."""


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Which connections to list. What is not given chooses all."""

    states: Sequence[str] = ()
    provider: str | None = None
    tenant: str | None = None

    @property
    def given(self) -> bool:
        """Whether these are not simply all."""
        return bool(self.states or self.provider or self.tenant)

    def match(self, row: dict[str, Any]) -> bool:
        """Tell whether a row, which has one of the states, is to be listed."""
        return self.provider in {None, row["provider"]} and self.tenant in {None, tenant_of(row["connection"])}


@dataclass(frozen=True)
class Partition:
    """One partition of an index, and which of the connections in it are to be listed."""

    index: str
    key: str
    states: tuple[State, ...]

    @property
    def keys(self) -> tuple[str, str]:
        """The names of the index's keys, that of the partition first."""
        return DUE_KEYS if self.index == DUE_INDEX else TROUBLE_KEYS


class Listing:
    """One walk through the connections of a fleet that match the filters, at most `limit` of them."""

    def __init__(self, fleet: Fleet, filters: Filters, *, limit: int | None = None) -> None:
        self.token: str | None = None
        """Where another walk goes on; None if this one is not at its limit."""
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

    def rows(self, token: str | None = None) -> Iterator[dict[str, Any]]:
        """Yield the connections as they are read, after those of an earlier walk that ended with `token`.

        Raises:
            UsageError: the token is not one of this listing.
            ServiceError: DynamoDB refuses.

        """
        partitions, start = self._after(token)
        left, seen = iter(partitions), set[str]()
        pool = ThreadPoolExecutor(AT_ONCE)

        def begin(partition: Partition, start: Item | None = None) -> tuple[Partition, Future[Read]]:
            return partition, pool.submit(self._read, partition, start)

        try:
            ahead = deque(begin(each, None if nth else start) for nth, each in enumerate(islice(left, AT_ONCE)))
            while ahead:
                partition, reading = ahead.popleft()
                found, start = reading.result()
                for row, key in found:
                    if row["connection"] in seen:  # meanwhile it has moved to another partition
                        continue
                    seen.add(row["connection"])
                    yield row
                    if len(seen) == self._limit:
                        self.token = _token(partition, key)
                        return
                if start is not None:
                    ahead.appendleft(begin(partition, start))
                elif (following := next(left, None)) is not None:
                    ahead.append(begin(following))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # whoever reads no more rows does not wait for any

    def _read(self, partition: Partition, start: Item | None) -> Read:
        """Return the next rows of one partition after `start`."""
        with translate_aws_errors():
            answer = self._client.query(
                TableName=self._table,
                IndexName=partition.index,
                KeyConditionExpression="#partition = :partition",
                ExpressionAttributeNames={"#partition": partition.keys[0]},
                ExpressionAttributeValues={":partition": {"S": partition.key}},
                **({"Limit": max(self._limit, MIN_READ)} if self._limit else {}),
                **({"ExclusiveStartKey": start} if start else {}),
            )
        rows = ((_row(item), _key(item, partition)) for item in answer["Items"])
        found = [(row, key) for row, key in rows if row["state"] in partition.states and self._filters.match(row)]
        return found, answer.get("LastEvaluatedKey")

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
    chosen = filters.states or STATE_NAMES
    # One whose state somebody has damaged is in the index of those that are kept alive, and reads as malformed.
    living = tuple(state for state in (State.ACTIVE, State.MALFORMED) if state in chosen)
    slots = [Partition(DUE_INDEX, slot, living) for name in providers for slot in slots_of(name)]
    states = [State(state) for state in chosen if state != State.ACTIVE]
    troubles = [Partition(TROUBLE_INDEX, shard, (state,)) for state in states for shard in troubles_of(state)]
    return [*(slots if State.ACTIVE in chosen else ()), *troubles]


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

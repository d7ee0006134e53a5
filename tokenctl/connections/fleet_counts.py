"""How many connections a fleet has in each state, and which are due: counted in the indexes, never in the table."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, Final

from refresh_token.fleet.names import SLOTS, slots_of
from refresh_token.fleet.states import TROUBLED, State, troubles_of
from refresh_token.fleet.table import DUE_INDEX
from tokenctl.connections.fleet import Fleet
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.side_by_side import all_in_time

MAX_PAGES: Final = 8
"""Pages of 1 MB that are counted in each part of an index, so that a look at a large fleet stays quick and costs less
than a cent. With more, the counts are lower bounds."""


@dataclass(frozen=True, kw_only=True)
class Due:
    """The connections of one provider that are due."""

    count: int
    oldest: float | None
    """When the one that waits longest was due, in epoch seconds; None if none is."""


@dataclass(frozen=True, kw_only=True)
class FleetCounts:
    """The number of connections by state, and what is due by provider."""

    by_state: Mapping[State, int]
    due: Mapping[str, Due]
    complete: bool
    """Whether everything was counted. If not, the numbers are lower bounds."""

    @property
    def oldest(self) -> float | None:
        """When the connection that waits longest was due, in epoch seconds; None if none is."""
        return _earliest(due.oldest for due in self.due.values())


def count_fleet(fleet: Fleet, now: datetime) -> FleetCounts:
    """Return the counts; raises TokenctlError if the table cannot be read in time."""
    providers = sorted(fleet.settings.providers)
    client = fleet.client("dynamodb")
    tasks = {f"{at}": partial(_Shard(client, fleet.table).read, at, providers, now) for at in range(SLOTS)}
    shards = list(all_in_time(tasks).values())
    by_state = {state: sum(shard.troubled.get(state, 0) for shard in shards) for state in State}
    by_state[State.ACTIVE] = max(sum(shard.living for shard in shards) - by_state[State.COOLING], 0)
    due = {
        provider: Due(
            count=sum(shard.due[provider].count for shard in shards),
            oldest=_earliest(shard.due[provider].oldest for shard in shards),
        )
        for provider in providers
    }
    return FleetCounts(by_state=by_state, due=due, complete=all(shard.complete for shard in shards))


def count_abandoned(fleet: Fleet) -> Counter[str]:
    """Count the living connections of providers that the fleet does not have any more, by provider.

    In a large fleet, it looks at the first `MAX_PAGES` megabytes of the index only.
    """
    known = {f":p{at}": {"S": name} for at, name in enumerate(sorted(fleet.settings.providers))}
    pages = (
        fleet.client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=fleet.table,
            IndexName=DUE_INDEX,
            FilterExpression=f"NOT (#provider IN ({', '.join(known)}))",
            ProjectionExpression="#provider",
            ExpressionAttributeNames={"#provider": "provider"},
            ExpressionAttributeValues=known,
        )
    )
    with translate_aws_errors():
        return Counter(item["provider"]["S"] for page in islice(pages, MAX_PAGES) for item in page["Items"])


@dataclass
class _Shard:
    """One part of both indexes."""

    client: Any
    table: str
    living: int = 0
    """Those that are active or cooling."""
    troubled: dict[State, int] = field(default_factory=dict)
    due: dict[str, Due] = field(default_factory=dict)
    complete: bool = True

    def read(self, shard: int, providers: list[str], now: datetime) -> "_Shard":
        for state in TROUBLED:
            values = {":part": {"S": troubles_of(state)[shard]}}
            self.troubled[state] = self._count("trouble", "trouble = :part", values)
        for provider in providers:
            values = {":part": {"S": slots_of(provider)[shard]}}
            self.living += self._count("due", "slot = :part", values)
            values[":now"] = {"N": str(int(now.timestamp()))}
            overdue = self._count("due", "slot = :part AND dueAt <= :now", values)
            self.due[provider] = Due(count=overdue, oldest=self._oldest(values) if overdue else None)
        return self

    def _count(self, index: str, condition: str, values: Mapping[str, Any]) -> int:
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            IndexName=index,
            Select="COUNT",
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
        )
        count, more = 0, False
        with translate_aws_errors():
            for page in islice(pages, MAX_PAGES):
                count += page["Count"]
                more = "LastEvaluatedKey" in page
        self.complete &= not more
        return count

    def _oldest(self, values: Mapping[str, Any]) -> float | None:
        with translate_aws_errors():
            answer = self.client.query(
                TableName=self.table,
                IndexName="due",
                Limit=1,
                KeyConditionExpression="slot = :part AND dueAt <= :now",
                ExpressionAttributeValues=values,
            )
        return _earliest(float(item["dueAt"]["N"]) for item in answer["Items"])


def _earliest(moments: Iterable[float | None]) -> float | None:
    return min((moment for moment in moments if moment is not None), default=None)

"""Looks at a fleet and at its provider, for the screen of the demo."""

import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from local.deployment import Deployment

RATE_SECONDS: Final = 10.0
"""Over which the rate of calls is measured."""
OWN_PREFIX: Final = "#"
"""Items that are no connections begin so."""
TICK_SECONDS: Final = 60.0
"""Between two looks of the dispatcher. MiniStack is up to ten seconds late."""
ANSWERS: Final = {"200": "answered", "429": "limited", "503": "failed", "400": "refused"}
"""What the provider answers, and how it is counted. 503 are also calls without an answer."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What one look saw."""

    states: Mapping[str, int]
    size: int
    refreshed: int
    refused: int
    due: int
    queued: int
    answers: Mapping[str, int]
    rate: float
    braked: bool
    next_tick: float
    """Seconds until the dispatcher looks again, as far as the schedule says."""
    left: Mapping[str, float]
    """Seconds until each connection is due that is neither refreshed nor refused."""

    @property
    def is_settled(self) -> bool:
        """Whether every connection is refreshed or refused."""
        return self.refreshed + self.refused == self.size

    @property
    def moved(self) -> object:
        """What changes while the fleet gets on."""
        return self.refreshed, self.refused, self.answers


class Watch:
    """Looks at the fleet of a deployment, whose schedule runs `since` then.

    `items` are the table's, by connection, as the last look saw them.
    """

    def __init__(
        self,
        deployment: Deployment,
        names: Sequence[str],
        imported: Mapping[str, str],
        refused: Sequence[str],
        *,
        since: float,
    ) -> None:
        self._deployment = deployment
        self._names = frozenset(names)
        self._imported = imported
        self._refused = frozenset(refused)
        self._rates: deque[tuple[float, int]] = deque()
        self._since = since
        self.size = len(names)
        self.items: dict[str, dict[str, Any]] = {}

    @property
    def table(self) -> str:
        """The table's name."""
        return self._deployment.outputs["ConnectionsTableName"]

    def look(self) -> Look:
        """Look at everything once."""
        now = time.time()
        items = {name: item for item in self._scan() if (name := item["pk"])}
        self.items = {name: item for name, item in items.items() if name in self._names}
        found = self.items.values()
        own = [item for name, item in items.items() if name.startswith(OWN_PREFIX)]
        refreshed = {name for name in self.items if self._is_refreshed(name)}
        refused = {name for name in self._refused & self.items.keys() if self.items[name]["state"] == "refused"}
        answers = self._answers()
        return Look(
            states=Counter(str(item["state"]) for item in found),
            size=self.size,
            refreshed=len(refreshed),
            refused=len(refused),
            due=sum("dueAt" in item and item["dueAt"] <= now for item in found),
            queued=self._queued(),
            answers=answers,
            rate=self._rate(sum(answers.values())),
            braked=any(item.get("brakedSince") for item in own),
            next_tick=max((item["lookedAt"] for item in own if "lookedAt" in item), default=self._since)
            + TICK_SECONDS
            - now,
            left={
                name: float(self.items[name].get("dueAt", now)) - now
                for name in sorted(self.items.keys() - refreshed - refused)
            },
        )

    def first(self) -> str:
        """Return the connection that will be refreshed first, of those that are not refused."""
        found = {name: item["dueAt"] for name, item in self.items.items() if name not in self._refused}
        return min(found, key=lambda name: found[name])

    def _is_refreshed(self, name: str) -> bool:
        item = self.items[name]
        return item["state"] == "active" and item.get("accessToken") != self._imported[name]

    def _scan(self) -> list[dict[str, Any]]:
        pages = (
            self._deployment.cloud.client("dynamodb")
            .get_paginator("scan")
            .paginate(
                TableName=self.table,
                ProjectionExpression="pk, #state, dueAt, accessToken, brakedSince, lookedAt",
                ExpressionAttributeNames={"#state": "state"},
                ConsistentRead=True,
            )
        )
        return [
            {key: float(value["N"]) if "N" in value else value.get("S") for key, value in item.items()}
            for page in pages
            for item in page["Items"]
        ]

    def _queued(self) -> int:
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed")
        found = self._deployment.cloud.client("sqs").get_queue_attributes(
            QueueUrl=self._deployment.outputs["ConnectionsQueueUrl"], AttributeNames=[*names]
        )["Attributes"]
        return sum(int(found[name]) for name in names)

    def _answers(self) -> dict[str, int]:
        counts = self._deployment.cloud.standin.counts().values()
        return {shown: sum(getattr(one, field) for one in counts) for shown, field in ANSWERS.items()}

    def _rate(self, calls: int) -> float:
        now = time.monotonic()
        self._rates.append((now, calls))
        while now - self._rates[0][0] > RATE_SECONDS:
            self._rates.popleft()
        before, then = self._rates[0]
        return (calls - then) / (now - before) if now > before else 0.0

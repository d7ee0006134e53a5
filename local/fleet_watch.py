"""Looks at a fleet and at its provider, for the screen of the demo."""

import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.progress_bar import ProgressBar
from rich.table import Table

from local.deployment import Deployment

RATE_SECONDS: Final = 10.0
"""Over which the rate of calls is measured."""
OWN_PREFIX: Final = "#"
"""Items that are no connections begin so."""


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

    @property
    def waiting(self) -> int:
        """How many connections are neither refreshed nor refused."""
        return self.size - self.refreshed - self.refused

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing left to do."""
        return self.waiting == 0

    def line(self) -> str:
        """Return the look as one line."""
        answers = ", ".join(f"{number} {what}" for what, number in self.answers.items() if number)
        return (
            f"{self.refreshed} of {self.size} refreshed, {_shown(self.states)}; {self.due} due, {self.queued} in the "
            f"queue; provider: {self.rate:.1f} calls/s ({answers or 'no calls'}), {_brake(self.braked)}"
        )

    def screen(self) -> Table:
        """Return the look as a screen."""
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim")
        table.add_column()
        table.add_row("refreshed", ProgressBar(total=self.size, completed=self.refreshed, width=50))
        table.add_row("", f"{self.refreshed} of {self.size}")
        table.add_row("states", _shown(self.states))
        table.add_row("due", f"{self.due}, and {self.queued} in the queue")
        table.add_row("provider", ", ".join(f"{number} {what}" for what, number in self.answers.items()))
        table.add_row("rate", f"{self.rate:.1f} calls/s")
        table.add_row("brake", _brake(self.braked))
        return table


class Watch:
    """Looks at the fleet of a deployment. `items` are the table's, by connection, as the last look saw them."""

    def __init__(
        self, deployment: Deployment, names: Sequence[str], imported: Mapping[str, str], refused: Sequence[str]
    ) -> None:
        self._deployment = deployment
        self._names = frozenset(names)
        self._imported = imported
        self._refused = frozenset(refused)
        self._rates: deque[tuple[float, int]] = deque()
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
        answers = self._answers()
        return Look(
            states=Counter(str(item["state"]) for item in found),
            size=self.size,
            refreshed=sum(self._is_refreshed(name) for name in self.items),
            refused=sum(self.items[name]["state"] == "refused" for name in self._refused & self.items.keys()),
            due=sum("dueAt" in item and item["dueAt"] <= now for item in found),
            queued=self._queued(),
            answers=answers,
            rate=self._rate(sum(answers.values())),
            braked=any(item.get("brakedSince") for name, item in items.items() if name.startswith(OWN_PREFIX)),
        )

    def _is_refreshed(self, name: str) -> bool:
        item = self.items[name]
        return item["state"] == "active" and item.get("accessToken") != self._imported[name]

    def _scan(self) -> list[dict[str, Any]]:
        pages = (
            self._deployment.cloud.client("dynamodb")
            .get_paginator("scan")
            .paginate(
                TableName=self.table,
                ProjectionExpression="pk, #state, dueAt, accessToken, brakedSince",
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
        kinds = {"answered": "answered", "429": "limited", "refused": "refused", "503": "failed"}
        return {shown: sum(getattr(one, field) for one in counts) for shown, field in kinds.items()}

    def _rate(self, calls: int) -> float:
        now = time.monotonic()
        self._rates.append((now, calls))
        while now - self._rates[0][0] > RATE_SECONDS:
            self._rates.popleft()
        before, then = self._rates[0]
        return (calls - then) / (now - before) if now > before else 0.0


def _shown(states: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {state}" for state, number in sorted(states.items()))


def _brake(braked: bool) -> str:  # noqa: FBT001 - the value itself
    return "braked: only probes are sent" if braked else "not braked"

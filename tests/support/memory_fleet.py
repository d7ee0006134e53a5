"""A fleet in memory: the real use cases and adapters over a table and a queue that are in memory, and a clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from refresh_token.adapters.brake_records import BrakeRecords
from refresh_token.adapters.due_index import TableIndex
from refresh_token.adapters.work_queue import SqsQueue
from refresh_token.core.grant_life import GrantLife
from refresh_token.core.windows import WindowSettings, iso_utc
from refresh_token.fleet.attributes import encode_item
from refresh_token.fleet.dispatcher import Dispatched, Dispatcher
from refresh_token.fleet.names import slot_of
from refresh_token.fleet.ports import Look
from refresh_token.fleet.providers import Provider
from tests.support.fakes import FakeClock
from tests.support.fleet import FLEET_TABLE
from tests.support.memory_dynamodb import MemoryDynamoDB
from tests.support.memory_sqs import MemorySqs

LIFE = timedelta(days=90)
QUEUE_URL = "https://sqs.example/queue"


def provider(name: str = "figma", **changes: Any) -> Provider:
    facts: dict[str, Any] = {
        "variables": {"ISSUER": name},
        "grant": "refresh_token",
        "windows": WindowSettings(advisory=timedelta(days=7), mandatory=timedelta(days=1)),
        "grant_life": GrantLife(),
        "rotates": False,
    }
    return Provider(name=name, **{**facts, **changes})


@dataclass
class Seen:
    """The telemetry of the dispatcher."""

    ticks: list[tuple[list[Look], int]] = field(default_factory=list)

    def dispatched(self, looks: Any, *, stuck: int) -> None:
        self.ticks.append((list(looks), stuck))

    def look(self, provider: str = "figma") -> Look:
        """Return what the last tick saw of a provider."""
        return next(look for look in self.ticks[-1][0] if look.provider == provider)


@dataclass
class MemoryFleet:
    rate: int = 10
    policy: str = "auto"
    providers: Mapping[str, Provider] = field(default_factory=lambda: {"figma": provider()})
    clock: FakeClock = field(default_factory=FakeClock)
    table: MemoryDynamoDB = field(default_factory=MemoryDynamoDB)
    seen: Seen = field(default_factory=Seen)

    def __post_init__(self) -> None:
        self.queue = MemorySqs(self.now)

    def now(self) -> int:
        return int(self.clock.now().timestamp())

    def put(
        self,
        name: str,
        *,
        due_in: float = -1,
        left: timedelta = timedelta(days=3),
        provider: str = "figma",
        state: str = "active",
        life: timedelta = LIFE,
        **more: object,
    ) -> None:
        """Put the item of a connection without a pair, which a dispatcher cannot tell from another."""
        expires_at = self.clock.now() + left
        values = {
            "pk": name,
            "provider": provider,
            "state": state,
            "version": "V1",
            "expiresAt": iso_utc(expires_at),
            "storedAt": iso_utc(expires_at - life),
            "slot": slot_of(provider, name),
            "dueAt": self.now() + due_in,
            **more,
        }
        self.table.items[name] = encode_item({key: value for key, value in values.items() if value is not None})

    def put_many(self, count: int, **facts: Any) -> list[str]:
        names = [f"acme/u{number}" for number in range(count)]
        for name in names:
            self.put(name, **facts)
        return names

    def due_at(self, name: str) -> float:
        return float(self.table.items[name]["dueAt"]["N"])

    def dispatcher(self) -> Dispatcher:
        return Dispatcher(
            providers=self.providers,
            rate=self.rate,
            policy=self.policy,
            index=TableIndex(FLEET_TABLE, self.table),  # type: ignore[arg-type]
            queue=SqsQueue(QUEUE_URL, self.queue, map),  # type: ignore[arg-type]
            brakes=BrakeRecords(FLEET_TABLE, self.table),  # type: ignore[arg-type]
            clock=self.clock,
            telemetry=self.seen,
            spread=map,
        )

    def tick(self) -> Dispatched:
        self.clock.left = 60.0
        return self.dispatcher().tick()

    def pass_time(self, seconds: float) -> None:
        self.clock.time += timedelta(seconds=seconds)

    def fail(self, count: int, provider: str = "figma") -> None:
        """Let refreshes fail, as workers count them."""
        for _ in range(count):
            BrakeRecords(FLEET_TABLE, self.table).add_failure(provider)  # type: ignore[arg-type]

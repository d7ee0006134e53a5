"""A fleet in memory: the real use cases and adapters over a table, a queue and a key in memory, and a clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from typing import Any

from refresh_token.adapters.aws_clients import Fault
from refresh_token.adapters.brake_records import BrakeRecords
from refresh_token.adapters.connection_table import ConnectionTable
from refresh_token.adapters.due_index import TableIndex
from refresh_token.adapters.fleet_connections import FleetConnections, OpenedConnection
from refresh_token.adapters.sealing import KmsSeal
from refresh_token.adapters.work_queue import SqsQueue
from refresh_token.core.connections import Connection
from refresh_token.core.grant_life import GrantLife
from refresh_token.core.ports import Clock, Issuer
from refresh_token.core.process_memory import ProcessMemory
from refresh_token.core.refresher import Refresher
from refresh_token.core.successors import successor_id
from refresh_token.core.token_pair import TokenPair
from refresh_token.core.windows import WindowSettings, iso_utc
from refresh_token.errors import RefreshTokenError
from refresh_token.fleet.attributes import encode_item
from refresh_token.fleet.dispatcher import Dispatched, Dispatcher
from refresh_token.fleet.names import slot_of
from refresh_token.fleet.ports import Look, Spread
from refresh_token.fleet.providers import Provider
from refresh_token.fleet.record import Record, read_record
from refresh_token.fleet.settings import FleetSettings
from refresh_token.fleet.state_change import StateChange
from refresh_token.fleet.states import State
from refresh_token.fleet.successor import StoredTokens, Successor, new_item
from refresh_token.fleet.worker import Message as Delivered
from refresh_token.fleet.worker import Worker
from tests.support.faked_core import build_core
from tests.support.fakes import FakeClock, FakeIssuer, FakeTelemetry
from tests.support.fleet import FLEET_TABLE
from tests.support.memory_dynamodb import MemoryDynamoDB
from tests.support.memory_kms import MemoryKms
from tests.support.memory_sqs import MemorySqs, Message

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
class Told(FakeTelemetry):
    """The telemetry of workers."""

    last_error: RefreshTokenError | None = None
    served: list[str] = field(default_factory=list)

    def serving(self, connection: str) -> None:
        self.served.append(connection)
        self.last_error = None

    def refresh_failed(self, error: RefreshTokenError, *, version_id: str, first: bool) -> None:
        self.last_error = error
        self.reports.append(("refresh_failed", {"reason": error.reason, "version_id": version_id, "first": first}))


@dataclass
class MemoryFleet:
    rate: int = 10
    policy: str = "auto"
    providers: Mapping[str, Provider] = field(default_factory=lambda: {"figma": provider()})
    clock: FakeClock = field(default_factory=FakeClock)
    table: MemoryDynamoDB = field(default_factory=MemoryDynamoDB)
    kms: MemoryKms = field(default_factory=MemoryKms)
    seen: Seen = field(default_factory=Seen)
    told: Told = field(default_factory=Told)
    memory: ProcessMemory = field(default_factory=ProcessMemory)
    changes: list[tuple[str, State | None, State]] = field(default_factory=list)
    """The changes of state that workers told: of which connection, from what, to what."""

    def __post_init__(self) -> None:
        self.queue = MemorySqs(self.now)
        self.seal = KmsSeal("key", lambda: self.kms, lambda: self.kms)
        self.issuers: dict[str, FakeIssuer] = {}
        self.issuer: Callable[[str], Issuer] = self.usual_issuer
        self._numbers = count(1)
        self.jitter = lambda: 0.5

    def usual_issuer(self, connection: str) -> Issuer:
        """Return the issuer of a connection's tokens."""
        return self.issuers.setdefault(connection, FakeIssuer())

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

    def dispatcher(self, *, skew: int = 0, spread: Spread = map) -> Dispatcher:
        """Return a dispatcher, whose clock may be wrong by some seconds; ``spread`` makes its calls."""
        return Dispatcher(
            providers=self.providers,
            rate=self.rate,
            policy=self.policy,
            index=TableIndex(FLEET_TABLE, self.table),  # type: ignore[arg-type]
            queue=SqsQueue(QUEUE_URL, self.queue, spread),  # type: ignore[arg-type]
            brakes=BrakeRecords(FLEET_TABLE, self.table),  # type: ignore[arg-type]
            clock=replace(self.clock, time=self.clock.time + timedelta(seconds=skew)) if skew else self.clock,
            telemetry=self.seen,
            spread=spread,
        )

    def seed(self, name: str, *, left: timedelta = timedelta(days=3), token: str | None = None) -> Record:
        """Store a connection with a pair, due a second ago."""
        expires_at = self.clock.now() + left
        pair = TokenPair(
            access_token="access-0",
            refresh_token=token or "refresh-1",
            provider="figma",
            expires_at=expires_at,
            refreshed_at=expires_at - LIFE,
        )
        sealed = self.seal.seal(name, pair.refresh_token)
        assert not isinstance(sealed, Fault)
        new = Successor(pair, StoredTokens(pair.access_token, sealed), "V1", expires_at - LIFE)
        self.table.items[name] = new_item(name, new, due_at=self.now() - 1)
        return self.record(name)

    def record(self, name: str) -> Record:
        return read_record(self.table.items[name])

    def opened(self, name: str, *, force: bool = False) -> OpenedConnection:
        """Read a connection, as the functions do."""
        client: Any = self.table
        connections = FleetConnections(
            settings=self.settings(),
            table=ConnectionTable(FLEET_TABLE, client, lambda: client, lambda: client),
            seal=self.seal,
            issuer_for=lambda *_: self.issuer(name),
            changes=self,
            now=self.clock.now,
            jitter=self.jitter,
        )
        return connections.open(name, force=force)

    def changed(self, change: StateChange) -> None:
        self.changes.append((str(change.connection), change.before, change.after))

    def settings(self) -> FleetSettings:
        return FleetSettings(
            table=FLEET_TABLE,
            key_arn="key",
            queue_url=QUEUE_URL,
            providers=self.providers,
            mandatory=timedelta(days=1),
            refreshes_per_second=self.rate,
            policy=self.policy,
            seal_access_tokens=False,
            event_bus="",
        )

    def refresher(self, connection: Connection, clock: Clock) -> Refresher:
        return build_core(connection, clock, self.told, self.memory, self._next_version)

    def _next_version(self, version_id: str) -> str:
        return successor_id(version_id, f"{next(self._numbers):032x}")

    def worker(self) -> Worker:
        return Worker(
            open_connection=self.opened,
            refresher_for=self.refresher,
            brakes=BrakeRecords(FLEET_TABLE, self.table),  # type: ignore[arg-type]
            clock=self.clock,
            telemetry=self.told,
        )

    def work_off(self, *messages: Message) -> list[str]:
        """Let a worker work off messages; return those that must come again."""
        self.clock.left = 60.0
        return self.worker().work_off(Delivered(message.body, message.body) for message in messages)

    def tick(self) -> Dispatched:
        self.clock.left = 60.0
        return self.dispatcher().tick()

    def pass_time(self, seconds: float) -> None:
        self.clock.time += timedelta(seconds=seconds)

    def fail(self, count: int, provider: str = "figma") -> None:
        """Let refreshes fail, as workers count them."""
        for _ in range(count):
            BrakeRecords(FLEET_TABLE, self.table).add_failure(provider)  # type: ignore[arg-type]

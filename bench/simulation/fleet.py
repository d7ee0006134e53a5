"""A fleet in the simulation: the dispatcher each minute, workers each second, and how many tokens are alive."""

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from bench.simulation.cloud import PAGE, PROVIDER, Brakes, Clock, Index, Queue, Silence, one_by_one
from bench.simulation.provider import SimulatedProvider
from bench.simulation.quotas import MINUTE, Demands, Quotas
from refresh_token.core.failed_call import failed_call
from refresh_token.core.grant_life import GrantLife
from refresh_token.core.token_pair import TokenPair
from refresh_token.core.windows import WindowSettings
from refresh_token.fleet import brake
from refresh_token.fleet.dispatcher import Dispatcher
from refresh_token.fleet.due import Keeping, after_failure, next_due
from refresh_token.fleet.pacing import TICK_TIMEOUT
from refresh_token.fleet.providers import Provider
from token_refresher.settings.fleet_capacity import leases_a_second

if TYPE_CHECKING:
    from refresh_token.core.claims import Failure

WINDOWS: Final = WindowSettings(advisory=timedelta(days=7), mandatory=timedelta(days=1))
"""The settings' defaults."""

START: Final = 1_800_000_000
"""The simulation begins at this epoch second, which is a whole minute."""

HALF_HOUR: Final = 1_800


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A fleet: its size, the life of its tokens, its settings (`refreshes_per_second`, `max_workers`, `memory_mb`)."""

    connections: int
    life: timedelta
    rate: int
    workers: int
    memory_mb: int = 512


class Fleet:
    """One run. Each connection of the simulation stands for `grain` real ones, and each limit is as much smaller."""

    def __init__(
        self, shape: Shape, provider: SimulatedProvider, *, grain: int = 1, has_brake: bool = True, seed: int = 1
    ) -> None:
        self.shape, self.provider, self.grain = shape, provider, grain
        self.size = shape.connections // grain
        self.clock = Clock(START)
        self.demands, self.quotas = Demands(), Quotas()
        self.index = Index(
            self.size,
            self.clock,
            life=shape.life.total_seconds(),
            lease_seconds=grain / leases_a_second(shape.memory_mb),
            page=PAGE // grain,
        )
        self.queue, self.brakes = Queue(self.clock), Brakes(blind=not has_brake)
        self.seen = Silence()
        self.random = random.Random(seed)  # noqa: S311 - the same run each time
        self.keeping = Keeping(windows=WINDOWS, grant_life=GrantLife())
        self.failures: dict[int, Failure] = {}
        self.refreshes = 0
        self.leases = 0
        self._expiring: defaultdict[int, int] = defaultdict(int)
        self._dead = 0
        self._capacity = 0.0
        self._polling = float(self.quotas.mapping_start)
        self._peaks: list[float] = []
        self._written = 0.0
        self._dispatcher = Dispatcher(
            providers={
                PROVIDER: Provider(
                    name=PROVIDER,
                    variables={},
                    grant="refresh_token",
                    windows=self.keeping.windows,
                    grant_life=self.keeping.grant_life,
                    rotates=False,
                )
            },
            rate=max(1, shape.rate // grain),
            index=self.index,
            queue=self.queue,
            brakes=self.brakes,
            clock=self.clock,
            telemetry=self.seen,
            policy=self.keeping.policy,
            spread=one_by_one,
        )

    def add(self, number: int, *, expires_in: float, due_in: float) -> None:
        """Add a connection."""
        self.index.expires_at[number] = START + expires_in
        self._expiring[int(START + expires_in) // MINUTE] += 1
        self.index.set(number, START + int(due_in))

    def add_steady(self) -> None:
        """Add all connections as a fleet has them that has run for long: each somewhere in its own period."""
        life = self.shape.life.total_seconds()
        for number in range(self.size):
            due = self._next_due(START, START + life) - START
            age = self.random.random() * due
            self.add(number, expires_in=life - age, due_in=due - age)

    def add_new(self, *, over: float) -> None:
        """Add all connections without an access token, due over so many seconds."""
        self._dead = self.size
        for number in range(self.size):
            self.index.expires_at[number] = START - MINUTE
            self.index.set(number, START + int(self.random.random() * over))

    def minute(self) -> None:
        """Let a minute pass: a tick, and then the workers' seconds."""
        start = int(self.clock.time)
        self._dead += self._expiring.pop(start // MINUTE - 1, 0)
        before = self.queue.depth()
        self.clock.deadline = start + TICK_TIMEOUT
        self._dispatcher.tick()
        self.index.put_back()
        self.leases += self.queue.depth() - before
        self._written = 0.0
        for second in range(start, start + MINUTE):
            self.clock.time = second
            self.queue.arrive(second)
            self._work(second)
        self._peaks.append(self._written / MINUTE)
        self.clock.time = start + MINUTE

    @property
    def now(self) -> float:
        """Seconds since the start."""
        return self.clock.time - START

    @property
    def alive(self) -> float:
        """The share of connections whose token lives."""
        return 1 - self._dead / self.size

    def _work(self, second: int) -> None:
        busy = self.demands.own_seconds + self.provider.duration(second - START)
        waiting = len(self.queue.arrived)
        growth = self.quotas.mapping_growth if waiting else -self.quotas.mapping_growth
        self._polling = max(self.quotas.mapping_start, self._polling + growth)
        workers = min(self.shape.workers, self._polling, self.quotas.lambda_concurrency)
        a_second = min(
            workers / busy,
            self._write_units() / self.demands.write_units,
            self.quotas.partition_writes * 16 / self.demands.index_writes,
            self.quotas.kms_requests / self.demands.kms_requests,
        )
        self._capacity = min(self._capacity, 1) + a_second / self.grain
        while self.queue.arrived and self._capacity >= 1:
            work = self.queue.receive()
            number = self.index.number(work.connection)
            if self.index.due_at[number] == work.due_at:  # otherwise the message was late, and is fenced
                self._capacity -= 1
                self._written += self.demands.write_units * self.grain
                self._refresh(number, second)

    def _write_units(self) -> float:
        """Return what the table takes in this second: twice the peak of more than 30 minutes ago."""
        old = self._peaks[: -HALF_HOUR // MINUTE] if len(self._peaks) > HALF_HOUR // MINUTE else []
        grown = max(old, default=0.0) * self.quotas.table_growth
        return min(max(self.quotas.table_start, grown), self.quotas.table_limit)

    def _refresh(self, number: int, second: int) -> None:
        error = self.provider.call(second - START)
        if error is None:
            self._live(number, second)
            return
        now = datetime.fromtimestamp(second, UTC)
        if brake.counts(error):
            self.brakes.add_failure(PROVIDER)
        _, failure = failed_call(error, self.failures.get(number), now=now, counts=True)
        self.failures[number] = failure
        self.index.fails[number] = min(self.index.fails[number] + 1, 255)
        retry = after_failure(
            failure,
            attempts=self.index.fails[number],
            expires_at=datetime.fromtimestamp(self.index.expires_at[number], UTC),
            now=now,
            u=self.random.random(),
        )
        self.index.set(number, retry.due_at or 0)

    def _live(self, number: int, second: int) -> None:
        expired, minute = int(self.index.expires_at[number]) // MINUTE, second // MINUTE
        if expired < minute:
            self._dead -= 1
        else:
            self._expiring[expired] -= 1
        self.index.expires_at[number] = second + self.shape.life.total_seconds()
        self._expiring[int(self.index.expires_at[number]) // MINUTE] += 1
        self.index.fails[number] = 0
        self.failures.pop(number, None)
        self.refreshes += 1
        self.index.set(number, self._next_due(second, self.index.expires_at[number]))

    def _next_due(self, now: float, expires: float) -> int:
        at = datetime.fromtimestamp(now, UTC)
        pair = TokenPair(
            access_token="a",  # noqa: S106 - any text
            refresh_token="r",  # noqa: S106 - any text
            refreshed_at=at,
            expires_at=datetime.fromtimestamp(expires, UTC),
        )
        return next_due(pair, self.keeping, now=at, u=self.random.random())

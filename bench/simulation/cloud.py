"""The table's index, the queue and the brakes in memory, behind the ports that the dispatcher uses."""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

from refresh_token.fleet.brake import Brake
from refresh_token.fleet.messages import Work
from refresh_token.fleet.names import slot_of, slots_of
from refresh_token.fleet.ports import Delivery, DueEntry, Look

PROVIDER: Final = "acme"
PAGE: Final = 5_000
"""Entries of the index in 1 MB, more than which the dispatcher does not count in a slot."""

T = TypeVar("T")
R = TypeVar("R")


class Clock:
    """The simulated time in epoch seconds, and the end of the running invocation."""

    def __init__(self, start: float) -> None:
        self.time = start
        self.deadline = start

    def now(self) -> datetime:
        """Return the time."""
        return datetime.fromtimestamp(self.time, UTC)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.time += seconds

    def remaining(self) -> float:
        """Return the seconds that the invocation has left."""
        return self.deadline - self.time


class Index:
    """The index of due connections, in epoch seconds: `due_at[n]` is when connection n is due, 0 if it no longer is."""

    def __init__(self, size: int, clock: Clock, *, life: float, lease_seconds: float, page: int) -> None:
        self.due_at = [0] * size
        self.expires_at = [0.0] * size
        self.fails = bytearray(size)
        """How many refreshes in a row have failed."""
        self.names = [f"t/{number}" for number in range(size)]
        self._numbers = {name: number for number, name in enumerate(self.names)}
        self._slots = [slot_of(PROVIDER, name) for name in self.names]
        self._heaps: dict[str, list[tuple[int, int]]] = {slot: [] for slot in slots_of(PROVIDER)}
        self._seen: list[tuple[int, int]] = []
        self._clock = clock
        self._life = life
        self._lease_seconds = lease_seconds
        self._page = page

    def number(self, name: str) -> int:
        """Return the number of a connection."""
        return self._numbers[name]

    def set(self, number: int, due_at: int) -> None:
        """Make a connection due at this time."""
        self.due_at[number] = due_at
        if due_at:
            heapq.heappush(self._heaps[self._slots[number]], (due_at, number))

    def due(self, slot: str, *, now: int, page: int) -> Iterator[DueEntry]:
        """Return what is due in a slot, the most overdue first."""
        del page
        heap = self._heaps[slot]
        while heap and heap[0][0] <= now:
            due_at, number = entry = heapq.heappop(heap)
            if self.due_at[number] == due_at:
                self._seen.append(entry)
                expires = self.expires_at[number]
                yield DueEntry(
                    self.names[number],
                    due_at,
                    not self.fails[number],
                    expires_at=datetime.fromtimestamp(expires, UTC),
                    stored_at=datetime.fromtimestamp(expires - self._life, UTC),
                )

    def count_due(self, slot: str, *, now: int) -> int:
        """Return how many are due in a slot, at most as many as one page holds."""
        heap, found, places = self._heaps[slot], 0, [0]
        while places and found < self._page:
            place = places.pop()
            if place < len(heap) and heap[place][0] <= now:
                found += self.due_at[heap[place][1]] == heap[place][0]
                places += (2 * place + 1, 2 * place + 2)
        return found

    def count_stuck(self) -> int:
        """Return zero: nothing kills a simulated worker."""
        return 0

    def lease(self, connection: str, *, seen: float, until: int) -> bool:
        """Make a connection due later. It takes its time."""
        self._clock.time += self._lease_seconds
        number = self._numbers[connection]
        if self.due_at[number] != seen:
            return False
        self.set(number, until)
        return True

    def put_back(self) -> None:
        """End a query: what it read and nobody leased is still due."""
        for due_at, number in self._seen:
            if self.due_at[number] == due_at:
                self.set(number, due_at)
        self._seen.clear()


class Queue:
    """Messages by the second in which they arrive, and those that have arrived."""

    def __init__(self, clock: Clock) -> None:
        self.arrived: deque[Work] = deque()
        self._coming: dict[int, list[Work]] = {}
        self._clock = clock
        self._depth = 0

    def depth(self) -> int:
        """Return how many messages wait."""
        return self._depth

    def send(self, deliveries: Sequence[Delivery]) -> int:
        """Take messages."""
        now = int(self._clock.time)
        for work, delay in deliveries:
            self._coming.setdefault(now + delay, []).append(work)
        self._depth += len(deliveries)
        return len(deliveries)

    def arrive(self, second: int) -> None:
        """Let the messages of a second arrive."""
        self.arrived.extend(self._coming.pop(second, ()))

    def receive(self) -> Work:
        """Return the oldest message that has arrived."""
        self._depth -= 1
        return self.arrived.popleft()


class Brakes:
    """One provider's record. `blind` forgets every failure, as if there were no brake."""

    def __init__(self, *, blind: bool) -> None:
        self._record = Brake()
        self._blind = blind
        self.braked_ticks = 0

    def take(self, provider: str, *, now: int) -> Brake:
        """Return the record, and set its counts to zero."""
        del provider
        taken, self._record = self._record, Brake(since=self._record.since, looked_at=now, waiting=self._record.waiting)
        return taken

    def record(self, provider: str, *, sent: int, waiting: int, since: int | None, changed: bool) -> None:
        """Keep what the dispatcher decided."""
        del provider, changed
        self._record = self._record._replace(sent=sent, waiting=waiting, since=since)
        self.braked_ticks += since is not None

    def add_failure(self, provider: str) -> None:
        """Count a failed refresh."""
        del provider
        if not self._blind:
            self._record = self._record._replace(failures=self._record.failures + 1)


class Silence:
    """Telemetry that keeps the last look."""

    def __init__(self) -> None:
        self.looks: Sequence[Look] = ()

    def dispatched(self, looks: Sequence[Look], *, stuck: int) -> None:
        """Keep what was seen."""
        del stuck
        self.looks = looks


def one_by_one(call: Callable[[T], R], values: Sequence[T], /) -> Iterable[R]:
    """Call it for each value."""
    return [call(value) for value in values]

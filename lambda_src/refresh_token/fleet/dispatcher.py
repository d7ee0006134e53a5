"""The dispatcher's use case: find what is due, lease it, and send it to the workers.

    table    | take the brake | query the slots | lease: dueAt moves | ............. | record the brake
    queue    | ........................................................ | send       |
    killed   | nothing        | nothing         | due again in five minutes          | the brake knows less

Whatever ends a tick early, every connection is due now or when its lease ends, so none is forgotten. Two dispatchers at
once lease each connection once.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from refresh_token.core.ports import Clock
from refresh_token.errors import RefreshTokenError, SecretUnavailableException
from refresh_token.fleet.brake import Brake, decide, slowed, with_backlog
from refresh_token.fleet.messages import Work
from refresh_token.fleet.names import SLOTS, slots_of
from refresh_token.fleet.overdue import is_overdue
from refresh_token.fleet.pacing import PERIOD, Pace, budget_of, lease_end, shares_of
from refresh_token.fleet.ports import Brakes, Delivery, DispatchTelemetry, DueEntry, DueIndex, Look, Spread, WorkQueue

if TYPE_CHECKING:
    from refresh_token.fleet.providers import Provider

ROUND: Final = 200
"""How many connections are leased before their messages are sent."""

END_RESERVE: Final = 15.0
"""With less than this many seconds of the invocation left, nothing more is leased, and what is leased is sent."""


class Dispatched(NamedTuple):
    """What a tick did."""

    outcome: str
    """`dispatched`, or `braked` if a provider is braked and nothing but probes was sent."""

    due: int
    sent: int
    oldest_overdue: int

    def to_answer(self) -> dict[str, Any]:
        """Return the answer to the schedule."""
        answer = {"outcome": self.outcome, "due": self.due, "sent": self.sent}
        return answer | {"oldestOverdueSeconds": self.oldest_overdue}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatcher:
    """Sends what is due, for each provider at most ``rate`` a second. ``spread`` makes calls at once."""

    providers: "Mapping[str, Provider]"
    rate: int
    policy: str
    index: DueIndex
    queue: WorkQueue
    brakes: Brakes
    clock: Clock
    telemetry: DispatchTelemetry
    spread: Spread

    def tick(self) -> Dispatched:
        """Send what is due.

        Raises:
            SecretUnavailableException: the table or the queue does not answer.
            ConfigurationException: the function may not use the table or the queue, or they are missing.

        """
        queued, now, faults = self.queue.depth(), self._now(), list[RefreshTokenError]()
        brakes = {provider: self.brakes.take(provider, now=now) for provider in self._in_turn()}
        waiting = shares_of(queued, {provider: brake.waiting + brake.sent for provider, brake in brakes.items()})
        looks = [self._look(provider, brake, waiting[provider], faults) for provider, brake in brakes.items()]
        self.telemetry.dispatched(looks, stuck=self.index.count_stuck())
        if faults:
            raise faults[0]
        only_probes = any(look.braked for look in looks) and not any(look.sent for look in looks if not look.braked)
        return Dispatched(
            outcome="braked" if only_probes else "dispatched",
            due=sum(look.due for look in looks),
            sent=sum(look.sent for look in looks),
            oldest_overdue=max((look.oldest_overdue for look in looks), default=0),
        )

    def _in_turn(self) -> list[str]:
        """Return the providers, each minute with another one first: the last may be left without time."""
        names = list(self.providers)
        first = self._now() // PERIOD % max(len(names), 1)
        return [*names[first:], *names[:first]]

    def _look(self, provider: str, brake: Brake, waiting: int, faults: list[RefreshTokenError]) -> Look:
        """Look for what is due at a provider, and send it. What fails is added to ``faults``, and ends the sending."""
        now, brake = self._now(), with_backlog(brake, waiting=waiting)
        since = decide(brake, now=now)
        budget, pace = budget_of(self.rate, queued=waiting), Pace(self.rate, now, waiting)
        if since is not None:
            budget = slowed(brake, budget)
            pace = Pace(max(budget // PERIOD, 1), now)
        found = _Counted(self._due(provider, budget, now), self._is_overdue(provider))
        if since is not None:
            found.put_active_first()
        sent = 0
        for entries in found.rounds(budget):
            if faults or not self._has_time():
                break
            sent += self._send(entries, found.taken - len(entries), pace, faults)
        changed = since != brake.since
        self.brakes.record(provider, sent=sent, waiting=waiting, since=since, changed=changed)
        return Look(
            provider=provider,
            due=self._count(provider, found, sent, now),
            sent=sent,
            oldest_overdue=0 if found.first is None else int(max(now - found.first.due_at, 0)),
            overdue=found.overdue,
            braked=since is not None,
            changed=changed,
        )

    def _due(self, provider: str, budget: int, now: int) -> Iterator[DueEntry]:
        """Return what is due at a provider, the most overdue first. Reads little more than what is used of it."""
        page = budget // SLOTS + 10
        slots = [self.index.due(slot, now=now, page=page) for slot in slots_of(provider)]
        return heapq.merge(*slots, key=lambda entry: entry.due_at)

    def _is_overdue(self, provider: str) -> Callable[[DueEntry], bool]:
        windows = self.providers[provider].windows
        return lambda entry: is_overdue(entry, windows, self.policy, now=self.clock.now())

    def _count(self, provider: str, found: "_Counted", sent: int, now: int) -> int:
        """Return at least how many were due. Those that were sent no longer are."""
        if found.all_taken:
            return found.taken
        return max(found.taken, sent + sum(self.index.count_due(slot, now=now) for slot in slots_of(provider)))

    def _send(self, entries: Sequence[DueEntry], place: int, pace: Pace, faults: list[RefreshTokenError]) -> int:
        """Lease connections, and send those that were leased; return how many the queue has taken."""

        def lease(placed: tuple[int, DueEntry]) -> Delivery | None:
            if not self._has_time():
                return None
            entry, now = placed[1], self._now()
            delay = pace.delay(placed[0], now=now)
            until = lease_end(now, delay)
            try:
                leased = self.index.lease(entry.connection, seen=entry.due_at, until=until)
            except RefreshTokenError as error:
                faults.append(error)
                # If it is not leased, the fence stops its message.
                leased = isinstance(error, SecretUnavailableException) and error.unsure
            return Delivery(Work(entry.connection, until), delay) if leased else None

        leased = self.spread(lease, list(enumerate(entries, start=place)))
        try:
            return self.queue.send([delivery for delivery in leased if delivery is not None])
        except RefreshTokenError as error:
            faults.append(error)
            return 0

    def _has_time(self) -> bool:
        return self.clock.remaining() >= END_RESERVE

    def _now(self) -> int:
        return int(self.clock.now().timestamp())


class _Counted:
    """Due connections, counted as they are taken."""

    def __init__(self, entries: Iterator[DueEntry], is_overdue: Callable[[DueEntry], bool]) -> None:
        self._entries = entries
        self._is_overdue = is_overdue
        self.first = next(entries, None)
        self._waiting = [] if self.first is None else [self.first]
        self.taken = 0
        self.overdue = 0

    def put_active_first(self) -> None:
        """Let the most overdue ones of the first round that never failed come first."""
        self._waiting = sorted([*self._waiting, *islice(self._entries, ROUND)], key=lambda entry: not entry.active)

    def rounds(self, budget: int) -> Iterator[list[DueEntry]]:
        """Return up to ``budget`` of them, in rounds."""
        while size := min(budget - self.taken, ROUND):
            entries, self._waiting = self._waiting[:size], self._waiting[size:]
            entries += islice(self._entries, size - len(entries))
            if not entries:
                return
            self.taken += len(entries)
            self.overdue += sum(map(self._is_overdue, entries))
            yield entries

    @property
    def all_taken(self) -> bool:
        """Whether there are no more. Looks one ahead."""
        self._waiting = self._waiting or list(islice(self._entries, 1))
        return not self._waiting

"""What operators do to a connection: each is one conditional write, tried again if the connection has just changed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from math import ceil
from typing import Any, Final

from refresh_token.fleet import operator_writes
from refresh_token.fleet.record import Record
from refresh_token.fleet.states import State
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.many import for_each
from tokenctl.connections.state_changes import StateChangeEvents
from tokenctl.connections.storing import Pace
from tokenctl.connections.table import ChangedError, Table
from tokenctl.errors import TokenctlError

MAX_TRIES: Final = 3
"""How often an operation is tried on a connection that a refresh changes at the same time."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a command has done to a connection."""

    connection: str
    outcome: str
    """The past participle of the operation, `unchanged` or `failed`."""
    state: str | None
    """The connection's state now; None if it is removed or not known."""
    detail: str | None = None
    """Why it failed, why nothing was to be done, or what else is to be done."""

    @property
    def failed(self) -> bool:
        """Whether the operation was not performed."""
        return self.outcome == "failed"

    def to_document(self) -> dict[str, Any]:
        """Return the outcome as JSON."""
        return {"connection": self.connection, "outcome": self.outcome, "state": self.state, "detail": self.detail}


Operation = Callable[[str], Outcome]


def perform(operation: Operation, names: Sequence[str]) -> Iterator[Outcome]:
    """Perform an operation on each connection, several at a time; yield the outcomes as they come."""
    for _, outcome in for_each(names, partial(_performed, operation)):
        yield outcome


def _performed(operation: Operation, name: str) -> Outcome:
    try:
        return operation(name)
    except TokenctlError as error:
        return Outcome(connection=name, outcome="failed", state=None, detail=str(error))


@dataclass(frozen=True)
class Operator:
    """Changes connections, and tells others of it."""

    table: Table
    events: StateChangeEvents
    pace: Pace

    @classmethod
    def of(cls, fleet: Fleet, events: StateChangeEvents) -> "Operator":
        """Return the operator of a fleet."""
        return cls(Table(fleet), events, Pace(fleet.settings.refreshes_per_second))

    def pause(self, name: str) -> Outcome:
        """Take a connection out of the refreshes. One that is running may end; its token is stored."""
        return self._change(name, "paused", _pause)

    def resume(self, name: str) -> Outcome:
        """Undo a pause, or make a connection active that failed. It is due as soon as the fleet has room for it."""
        return self._change(name, "resumed", self._resume)

    def remove(self, name: str) -> Outcome:
        """Delete a connection, unless it is being refreshed."""
        return self._change(name, "removed", _remove)

    def _change(self, name: str, done: str, change: Callable[[Record, datetime], "Change"]) -> Outcome:
        for left in reversed(range(MAX_TRIES)):
            seen, now = self.table.get(name), datetime.now(UTC)
            wanted = change(seen, now)
            if wanted.request is None:
                return Outcome(connection=name, outcome="unchanged", state=seen.state, detail=wanted.why)
            try:
                (self.table.delete if wanted.after is None else self.table.update)(wanted.request)
            except ChangedError:
                if not left:
                    raise
                continue
            if wanted.after is not None:
                self.events.changed(seen, wanted.after, now)
            return Outcome(connection=name, outcome=done, state=wanted.after, detail=wanted.why)
        raise AssertionError("the last try returns or raises")

    def _resume(self, seen: Record, now: datetime) -> "Change":
        if seen.state is State.ACTIVE:
            return Change(why="it is active")
        if seen.state is State.REVOKED:
            raise TokenctlError(
                f"The grant of {seen.name} is revoked, so it has no tokens. Connect it again with `tokenctl "
                "connections authorize`."
            )
        after = operator_writes.resumed_state(seen)
        due_at = self.pace.next(seen.provider, ceil(now.timestamp()))
        why = None if after is State.ACTIVE else f"it is {after}, as before it was paused"
        if not after.is_kept_alive:
            why = f"{why}; to try it again, resume it once more"
        return Change(request=operator_writes.resume(seen, due_at=due_at, now=now), after=after, why=why)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What to write; None: nothing."""

    request: Mapping[str, Any] | None = None
    after: State | None = None
    """The state afterwards; None if the connection is deleted."""
    why: str | None = None
    """What the operator needs to know of it."""


def _pause(seen: Record, _now: datetime) -> Change:
    if seen.state is State.PAUSED:
        return Change(why="it is paused already")
    if seen.state is State.REVOKED:
        return Change(why="its grant is revoked, so nothing refreshes it")
    return Change(request=operator_writes.pause(seen), after=State.PAUSED)


def _remove(seen: Record, now: datetime) -> Change:
    if seen.is_claimed(now.timestamp()):
        raise TokenctlError(f"{seen.name} is being refreshed. Nothing was removed. Try again in a minute.")
    return Change(request=operator_writes.remove(seen.name, now=now.timestamp()))

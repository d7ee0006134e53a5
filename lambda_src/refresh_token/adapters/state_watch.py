"""Watches the connection of a single secret, and tells EventBridge what becomes of it.

Only a stack with an event bus loads this module. `watched_store` says which pair is current, `watched_lock` how a
refresh ends.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from refresh_token.adapters.state_events import StateEvents
from refresh_token.core.claims import Failure
from refresh_token.fleet.state_change import Reason, StateChange, reason_for
from refresh_token.fleet.states import State

if TYPE_CHECKING:
    from refresh_token.core.connections import Connection
    from refresh_token.core.token_pair import TokenPair


class StateWatch:
    """What is known about the pair of the secret, and where its changes are told."""

    def __init__(self, provider: str, events: StateEvents) -> None:
        self._provider, self._events = provider, events
        self._pair: TokenPair | None = None

    def send(self, *, seconds: float) -> None:
        """Send what there is to tell. Never raises."""
        self._events.send(seconds=seconds)

    def seen(self, pair: "TokenPair") -> None:
        """Take the pair that is current."""
        self._pair = pair

    def moved(self, before: Failure | None, after: Failure | None) -> None:
        """Tell that the last refresh ended differently from the one before: each with a failure, or with none."""
        old, new = _state(before), _state(after)
        if reason := reason_for(old, new):
            self._tell(old, new, reason)

    def ticked(self, connection: "Connection", *, degraded: bool) -> None:
        """Tell that the grant of the pair is about to end. Tells it once for each end."""
        now, pair = datetime.now(UTC), self._pair
        if pair is None or not connection.grant_life.is_ending(pair, now=now):
            return
        from refresh_token.adapters.watched_lock import WatchedLock  # noqa: PLC0415 - few ticks need a lock

        lock = connection.lock
        if isinstance(lock, WatchedLock) and lock.is_news(f"{Reason.GRANT_EXPIRING} {connection.grant_life.end(pair)}"):
            state = State.COOLING if degraded else State.ACTIVE
            self._tell(state, state, Reason.GRANT_EXPIRING)

    def _tell(self, before: State, after: State, reason: str) -> None:
        pair = self._pair
        self._events.changed(
            StateChange(
                connection=None,
                provider=self._provider,
                before=before,
                after=after,
                reason=reason,
                at=datetime.now(UTC),
                expires_at=pair.expires_at if pair else None,
                refresh_expires_at=pair.refresh_expires_at if pair else None,
            )
        )


def _state(failure: Failure | None) -> State:
    if failure is None:
        return State.ACTIVE
    return State.REFUSED if failure.refused else State.COOLING

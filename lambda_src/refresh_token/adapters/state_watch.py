"""Watches the connection of a single secret, and tells EventBridge what becomes of it.

Only a stack with an event bus loads this module. The lock knows how the refresh of a version failed before, so it
knows whether a failure or a success is news: a tick that fails like the tick before tells nothing.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from refresh_token.adapters.state_events import StateEvents
from refresh_token.core.claims import Claim, Failure, HeldClaim, RefreshLock
from refresh_token.core.ports import StoredPair, TokenStore
from refresh_token.errors import RefreshTokenError
from refresh_token.fleet.state_change import Reason, StateChange, reason_for
from refresh_token.fleet.states import State

if TYPE_CHECKING:
    from refresh_token.adapters.idempotency_lock import IdempotencyLock
    from refresh_token.core.connections import Connection
    from refresh_token.core.token_pair import TokenPair
    from refresh_token.core.unreadable_pair import UnreadablePair


class StateWatch:
    """What is known about the pair of the secret, and where its changes are told."""

    def __init__(self, provider: str, events: StateEvents) -> None:
        self._provider, self._events = provider, events
        self._pair: TokenPair | None = None

    def store(self, store: TokenStore) -> TokenStore:
        """Return the store of the secret, which then shows every pair that it reads and writes."""
        return _WatchedStore(self, store)

    def lock(self, lock: "IdempotencyLock") -> RefreshLock:
        """Return the lock of the secret, which then tells how each claim ends."""
        return _WatchedLock(self, lock)

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
        lock = connection.lock
        if isinstance(lock, _WatchedLock) and lock.is_news(
            f"{Reason.GRANT_EXPIRING} {connection.grant_life.end(pair)}"
        ):
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


class _WatchedStore(TokenStore):
    def __init__(self, watch: StateWatch, store: TokenStore) -> None:
        self._watch, self._store = watch, store

    def read(self) -> StoredPair:
        stored = self._store.read()
        self._watch.seen(stored.pair)
        return stored

    def has_room_for(self, pair: "TokenPair") -> bool:
        return self._store.has_room_for(pair)

    def replace(self, pair: "TokenPair", *, expected: str, version_id: str, seconds: float) -> None:
        self._store.replace(pair, expected=expected, version_id=version_id, seconds=seconds)
        self._watch.seen(pair)

    def pending(self, version_id: str) -> StoredPair | None:
        return self._store.pending(version_id)

    def promote(self, successor: str, *, expected: str, seconds: float) -> None:
        self._store.promote(successor, expected=expected, seconds=seconds)

    def unreadable(self) -> "UnreadablePair":
        return self._store.unreadable()

    def previous(self) -> StoredPair | None:
        return self._store.previous()


class _WatchedLock(RefreshLock):
    def __init__(self, watch: StateWatch, lock: "IdempotencyLock") -> None:
        self._watch, self._lock = watch, lock
        self._before: dict[str, Failure | None] = {}

    def claim(self, version_id: str, *, seconds: float, now: datetime, ignore_cooldown: bool) -> Claim:
        claim = self._lock.claim(version_id, seconds=seconds, now=now, ignore_cooldown=ignore_cooldown)
        if not isinstance(claim, HeldClaim):
            return claim
        self._before[version_id] = claim.previous
        return replace(claim, lock=self)

    def failure(self, version_id: str, *, now: datetime) -> Failure | None:
        return self._lock.failure(version_id, now=now)

    def record_success(self, version_id: str) -> None:
        before = self._before.pop(version_id, None)
        self._lock.record_success(version_id)
        self._watch.moved(before, None)

    def record_failure(self, version_id: str, failure: Failure) -> None:
        before = self._before.pop(version_id, None)
        self._lock.record_failure(version_id, failure)
        self._watch.moved(before, failure)

    def delete_claim(self, version_id: str) -> None:
        self._before.pop(version_id, None)
        self._lock.delete_claim(version_id)

    def is_news(self, what: str) -> bool:
        """Tell whether nobody has asked this before; False if the lock table does not say."""
        try:
            return self._lock.note(what)
        except RefreshTokenError:
            return False


def _state(failure: Failure | None) -> State:
    if failure is None:
        return State.ACTIVE
    return State.REFUSED if failure.refused else State.COOLING

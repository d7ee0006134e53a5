"""One refresh, under a claim: read again, call the issuer, write the new pair, close the claim.

Some issuers accept each token only once (`Issuer.rotates`): after the issuer has answered, the stored one is spent. So
this module never gives up an answer that can still be stored. Before it calls the issuer again, it looks for a pair
that was written but not promoted, and for one that this process could not write.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final, TypeVar

from refresh_token.core.claims import Failure, HeldClaim
from refresh_token.core.connections import Connection
from refresh_token.core.failed_call import COOLDOWN, failed_call, failure_after
from refresh_token.core.issued_token import Issued, IssuedToken, RefreshTokenOnly
from refresh_token.core.ports import Clock, StoredPair, Telemetry, VersionSupersededError
from refresh_token.core.process_memory import ProcessMemory
from refresh_token.core.spending import grant_of, is_spent, meaning_for, without_unused
from refresh_token.core.time_budget import (
    CLOSE_RESERVE,
    INITIAL_PAUSE,
    MIN_CALL_TIME,
    MIN_WRITE_TIME,
    TOO_LITTLE_TIME,
    WRITE_RESERVE,
    next_pause,
)
from refresh_token.core.token_pair import TokenPair
from refresh_token.errors import (
    ReauthorizationRequiredException,
    RefreshInProgressException,
    RefreshTokenError,
    TokenNotStoredException,
)

TOO_LARGE: Final = (
    "The token was refreshed, but the new pair does not fit into the secret. The new refresh token is stored, the new "
    "access token is not, and the old one is dead. Remove keys from the secret that do not belong to the pair, or have "
    "the issuer issue shorter tokens. Then the next request refreshes it."
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The pair that is current now, and the issuer's answer if this invocation called the issuer."""

    stored: StoredPair
    issued: IssuedToken | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedRefresh:
    """Refreshes the version that ``claim`` is for.

    ``client_id`` is the caller's; it is used only if the pair has none. ``new_version_id`` makes the id of a version's
    successor.
    """

    connection: Connection
    clock: Clock
    telemetry: Telemetry
    memory: ProcessMemory
    new_version_id: Callable[[str], str]
    claim: HeldClaim
    client_id: str | None = field(repr=False)

    def run(self) -> Outcome:
        """Refresh the version, unless another one is current by now. Always closes the claim.

        If the answer holds a new refresh token, but no access token or a too long one, raises that error once the pair
        is stored.
        """
        version_id = self.claim.version_id
        current = self._or_release(self.connection.store.read)
        if current.version_id != version_id:
            self.memory.forget_successor(version_id)
            self._close(self.claim.done)
            return Outcome(current)
        if self.clock.remaining() < WRITE_RESERVE + MIN_CALL_TIME:
            self._close(self.claim.release)
            raise RefreshInProgressException(TOO_LITTLE_TIME)
        issued, successor, written = None, *self._left_over()
        if successor is None:
            issued, pair = self._call(current.pair)
            successor = StoredPair(self.new_version_id(version_id), pair)
        stored = self._write(successor, current.pair, written=written)
        self.memory.forget_successor(version_id)
        self._close(self.claim.done)
        if not stored:
            self.memory.mark_dead(version_id)
            self.telemetry.superseded(version_id=version_id)
            return Outcome(self.connection.store.read())
        if isinstance(issued, RefreshTokenOnly):
            self.memory.mark_dead(version_id)
            self._record_failure_of(successor.version_id, issued.error)
            raise issued.error
        previous = self.claim.previous
        self.telemetry.refreshed(
            old=version_id, new=successor.version_id, recovered_from=previous.reason if previous else None
        )
        return Outcome(successor, issued)

    def _left_over(self) -> tuple[StoredPair | None, bool]:
        """Return the successor that an earlier refresh left behind, and whether it is already written."""
        version_id = self.claim.version_id
        if kept := self.memory.successor_of(version_id):
            return kept, False
        if not self.connection.issuer.rotates:
            return None, False  # calling the issuer again is simpler, and harmless
        pending = self._or_release(lambda: self.connection.store.pending(version_id))
        return pending, pending is not None

    def _call(self, pair: TokenPair) -> tuple[Issued, TokenPair]:
        """Call the issuer; return its answer, and the pair to store."""
        issuer = self.connection.issuer
        client_id = pair.client_id or (self.client_id if issuer.takes_client_id else None)
        try:
            grant = grant_of(pair, issuer.spends, now=self.clock.now())
            issued = issuer.refresh(grant, client_id, seconds=self.clock.remaining() - WRITE_RESERVE)
            issued = without_unused(issued, issuer.spends)
        except RefreshTokenError as error:
            if isinstance(error, ReauthorizationRequiredException) and client_id != pair.client_id:
                # The issuer may have refused only the caller's client id, which no operator can fix.
                self._close(self.claim.release)
                raise
            ours = client_id == pair.client_id and issuer.spends != "nothing"
            raise self._record_call_failure(meaning_for(error, issuer.spends), ours=ours) from None
        now = self.clock.now()
        if issued.odd:
            self.telemetry.odd_answer(issued.odd)
        if isinstance(issued, RefreshTokenOnly):
            return issued, pair.with_refresh_token(issued, issued_by=issuer.issued_by, client_id=client_id, now=now)
        expiry = issued.expiry(now=now)
        if expiry.capped:
            self.telemetry.expiry_capped()
        if not expiry.said:
            self.telemetry.expiry_not_said()
        new = pair.refreshed(issued, issued_by=issuer.issued_by, client_id=client_id, expires_at=expiry.at, now=now)
        if issuer.spends == "access_token":
            new = replace(new, refresh_expires_at=expiry.at, refresh_expires_since=None)
        if not self.connection.store.has_room_for(new):
            new = replace(new, scope=pair.scope, values=pair.values, api=pair.api)  # the tokens matter more
        if issued.refresh_token in (None, pair.refresh_token) or self.connection.store.has_room_for(new):
            return issued, new
        alone = RefreshTokenOnly(
            refresh_token=issued.refresh_token,
            error=TokenNotStoredException(TOO_LARGE, final=True),
            refresh_expires_in=issued.refresh_expires_in,
        )
        return alone, pair.with_refresh_token(alone, issued_by=issuer.issued_by, client_id=client_id, now=now)

    def _record_call_failure(self, error: RefreshTokenError, *, ours: bool) -> RefreshTokenError:
        """Report and remember a failed call; return the error to raise. ``ours``: the client id is the pair's."""
        error, failure = failed_call(error, self.claim.previous, now=self.clock.now(), counts=ours)
        self._report(error)
        self._close(lambda: self.claim.failed(failure))
        return error

    def _record_failure_of(self, successor: str, error: RefreshTokenError) -> None:
        """Start the cooldown of a version without a usable access token, unless someone has claimed it since."""
        self._report(error)
        failure = failure_after(error, None, now=self.clock.now())

        def record() -> None:
            now, seconds = self.clock.now(), self.clock.remaining()
            claim = self.claim.lock.claim(successor, seconds=seconds, now=now, ignore_cooldown=False)
            if isinstance(claim, HeldClaim):
                claim.failed(failure)

        self._close(record)

    def _report(self, error: RefreshTokenError) -> None:
        """Report a failed call of the issuer."""
        previous = self.claim.previous
        first = previous is None or not previous.refused
        self.telemetry.refresh_failed(error, version_id=self.claim.version_id, first=first)

    def _write(self, successor: StoredPair, old: TokenPair, *, written: bool) -> bool:
        """Store the successor, trying as long as it may help; return False if another version has become current."""
        store, expected = self.connection.store, self.claim.version_id
        pause = INITIAL_PAUSE
        while True:
            seconds = self.clock.remaining() - CLOSE_RESERVE
            try:
                if written:
                    store.promote(successor.version_id, expected=expected, seconds=seconds)
                else:
                    store.replace(successor.pair, expected=expected, version_id=successor.version_id, seconds=seconds)
            except VersionSupersededError:
                return False
            except TokenNotStoredException as error:
                if error.final or self.clock.remaining() < pause + MIN_WRITE_TIME + CLOSE_RESERVE:
                    self._give_up_writing(successor, old, error)
                    raise
            else:
                return True
            self.clock.sleep(pause)
            pause = next_pause(pause)

    def _give_up_writing(self, successor: StoredPair, old: TokenPair, error: TokenNotStoredException) -> None:
        version_id = self.claim.version_id
        spent = is_spent(old, successor.pair, self.connection.issuer.spends)
        self.memory.mark_dead(version_id)
        if spent:
            self.memory.keep_successor(version_id, successor)
        self.telemetry.refresh_failed(error, version_id=version_id, first=True)
        # Without a cooldown, the next report of the dead token refreshes it at once. But a spent token must not be sent
        # again while this process may still store the new one, and what cannot be stored need not be issued.
        retry_at = self.clock.now() + (COOLDOWN if spent or error.final else timedelta())
        self._close(lambda: self.claim.failed(Failure(error.reason, retry_at, lost=True)))

    def _or_release(self, read: Callable[[], T]) -> T:
        """Read from the store; if that fails, release the claim."""
        try:
            return read()
        except RefreshTokenError:
            self._close(self.claim.release)
            raise

    def _close(self, close: Callable[[], None]) -> None:
        """Close the claim. If that fails, the claim expires by itself; the failure must not hide the outcome."""
        try:
            close()
        except RefreshTokenError as error:
            self.telemetry.lock_not_closed(error, version_id=self.claim.version_id)

"""One refresh per secret version: claim, read again, call, write.

A refresh kills the previous access token at once, so two overlapping ones can leave a dead token in the secret. Hence
the claim comes before the call, and whoever wins it reads the secret again before believing what it knew:

    A  read V1 -- claim V1 - read V1 - issuer - write V2 - done
    B  read V1 --- held ........... wait ............. done - read V2           (B waited, and has A's token)
    C  read V1 -------------------------------------------------- claim V1 - read V2 - done     (C came late)

Where the issuer's refresh tokens are good for one call (`Issuer.rotates`), the one in V1 is spent once the issuer has
answered. So what it answered is never given up while there is a way to store it: a pair that was written and not made
current is looked for before the issuer is asked again, and one that could not be written is kept by the process.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from refresh_token.errors import (
    IssuerUnavailableException,
    ReauthorizationRequiredException,
    RefreshInProgressException,
    RefreshTokenError,
    TokenNotStoredException,
    error_named,
)
from refresh_token.ports import (
    Claim,
    Claimed,
    Clock,
    CoolingDown,
    Failure,
    Issuer,
    RefreshLock,
    StoredPair,
    Telemetry,
    TokenStore,
    VersionSupersededError,
)
from refresh_token.token_pair import IssuedToken, TokenPair
from refresh_token.windows import iso_utc

COOLDOWN: Final = timedelta(seconds=60)
"""How long consumers do not reach the issuer after a failed refresh."""

COOLDOWN_REFUSED: Final = timedelta(minutes=15)
"""The same after a refused grant, which only a person can mend."""

WRITE_RESERVE: Final = 5.0
"""Seconds of the invocation that are kept for storing what the issuer answered."""

CLOSE_RESERVE: Final = 1.0
"""Seconds of these that the write leaves for closing the claim and answering."""

MIN_WRITE_TIME: Final = 3.0
"""With fewer seconds than this left for the write, it is not tried again."""

MIN_CALL_TIME: Final = 3.0
"""With fewer seconds than this left for the issuer, a call is not begun."""

IN_PROGRESS: Final = "The token is being refreshed by another invocation, which did not finish in time. Ask again."
TOO_LITTLE_TIME: Final = (
    "Too little of this invocation's time is left to begin a refresh. "
    "Ask again; if it stays, raise the function's timeout."
)

INITIAL_PAUSE: Final = 0.2
MAX_PAUSE: Final = 2.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The pair that is current now, and the issuer's answer where this invocation made the call."""

    stored: StoredPair
    issued: IssuedToken | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshOnce:
    """Refreshes a version at most once, whoever else tries. ``jitter`` returns a number from 0 to 1.

    ``dead`` and ``unwritten`` outlive the invocation. ``dead`` are the versions whose access token was replaced by one
    that this process could not make current: they look alive, and are not. ``unwritten`` are the pairs with a new
    refresh token that it could not write, by the version in whose place they belong.
    """

    store: TokenStore
    issuer: Issuer
    lock: RefreshLock
    clock: Clock
    telemetry: Telemetry
    new_version_id: Callable[[str], str]
    jitter: Callable[[], float]
    dead: set[str]
    unwritten: dict[str, StoredPair] = field(default_factory=dict)

    def lost(self, version_id: str) -> Failure | None:
        """Return the failure of an earlier refresh that makes the token of a version dead, or perhaps; see the lock."""
        try:
            return self.lock.lost(version_id, now=self.clock.now())
        except RefreshTokenError as error:
            self.telemetry.lock_not_read(error, version_id=version_id)
            return None

    def refresh(
        self,
        seen: StoredPair,
        *,
        ignore_cooldown: bool,
        client_id: str | None = None,
        unfinished: Failure | None = None,
    ) -> Outcome:
        """Bring a version newer than ``seen`` about, or wait for whoever does.

        ``client_id`` fills in an unknown one; ``unfinished`` is what `lost` returned.

        Raises:
            RefreshTokenError: any of contract 2 but the request's and the seeding's own; nothing was lost.

        """
        pause = INITIAL_PAUSE
        unwritten = seen.version_id in self.unwritten  # the cooldown is for those who would ask the issuer
        while True:
            waited = pause > INITIAL_PAUSE
            if self.clock.remaining() < WRITE_RESERVE + MIN_CALL_TIME:
                raise RefreshInProgressException(IN_PROGRESS if waited else TOO_LITTLE_TIME)
            # A failure that came about while we waited is the answer for us, too: two ticks at once are one attempt.
            claim = self._claim(seen.version_id, ignore_cooldown=unwritten or (ignore_cooldown and not waited))
            if isinstance(claim, Claimed):
                return self._claimed(seen, claim.previous or unfinished, client_id)
            if isinstance(claim, CoolingDown):
                raise _again(claim.failure)
            self.clock.sleep(pause * (0.5 + self.jitter() / 2))
            pause = min(pause * 1.6, MAX_PAUSE)
            current = self.store.read()
            if current.version_id != seen.version_id:
                return Outcome(current)

    def _claim(self, version_id: str, *, ignore_cooldown: bool) -> Claim:
        try:
            return self.lock.claim(
                version_id, seconds=self.clock.remaining(), now=self.clock.now(), ignore_cooldown=ignore_cooldown
            )
        except RefreshTokenError as error:
            self.telemetry.refresh_failed(error, version_id=version_id, first=True)
            raise

    def _claimed(self, seen: StoredPair, previous: Failure | None, client_id: str | None) -> Outcome:
        try:
            current = self.store.read()
        except RefreshTokenError:
            self._give_back(seen.version_id, previous)
            raise
        if current.version_id != seen.version_id:
            self.unwritten.pop(seen.version_id, None)
            self._close(self.lock.done, seen.version_id)
            return Outcome(current)
        if self.clock.remaining() < WRITE_RESERVE + MIN_CALL_TIME:
            self._give_back(seen.version_id, previous)
            raise RefreshInProgressException(TOO_LITTLE_TIME)
        issued, successor, written = None, *self._left_over(current, previous)
        if successor is None:
            issued, pair = self._call(current, previous, client_id)
            successor = StoredPair(self.new_version_id(current.version_id), pair)
        stored = self._write(successor, current, written=written)
        self.unwritten.pop(current.version_id, None)
        self._close(self.lock.done, current.version_id)
        if stored is None:
            self.dead.add(current.version_id)
            self.telemetry.superseded(version_id=current.version_id)
            return Outcome(self.store.read())
        self.telemetry.refreshed(
            old=current.version_id, new=stored.version_id, recovered_from=previous.reason if previous else None
        )
        return Outcome(stored, issued)

    def _left_over(self, current: StoredPair, previous: Failure | None) -> tuple[StoredPair | None, bool]:
        """Return what an earlier refresh of this version left behind, and whether that is written already."""
        if current.version_id in self.unwritten:
            return self.unwritten[current.version_id], False
        if not self.issuer.rotates:
            return None, False  # to ask again is simpler, and does no harm
        try:
            found = self.store.unfinished(current.version_id)
        except RefreshTokenError:
            self._give_back(current.version_id, previous)
            raise
        return found, found is not None

    def _call(
        self, current: StoredPair, previous: Failure | None, client_id: str | None
    ) -> tuple[IssuedToken, TokenPair]:
        client_id = current.pair.client_id or (client_id if self.issuer.takes_client_id else None)
        try:
            issued = self.issuer.refresh(
                current.pair.refresh_token, client_id, seconds=self.clock.remaining() - WRITE_RESERVE
            )
            now = self.clock.now()
            expiry = issued.expiry(now=now)
        except RefreshTokenError as error:
            refused = isinstance(error, ReauthorizationRequiredException)
            if refused and client_id != current.pair.client_id:
                # Perhaps it is the request's client id that is refused, which is no operator's matter.
                self._give_back(current.version_id, previous)
                raise
            counted = previous is not None and previous.refused
            cooldown = COOLDOWN_REFUSED if refused else COOLDOWN
            lost = previous is not None and previous.lost
            failure = Failure(error.reason, self.clock.now() + cooldown, refused=refused or counted, lost=lost)
            self.telemetry.refresh_failed(error, version_id=current.version_id, first=not counted)
            self._fail(current.version_id, failure)
            raise
        if expiry.capped:
            self.telemetry.expiry_capped()
        return issued, current.pair.refreshed(issued, client_id=client_id, expires_at=expiry.at, now=now)

    def _write(self, successor: StoredPair, current: StoredPair, *, written: bool) -> StoredPair | None:
        """Store the pair, again and again as long as time remains; None if another version has become current."""
        expected, spent = current.version_id, successor.pair.refresh_token != current.pair.refresh_token
        pause = INITIAL_PAUSE
        while True:
            try:
                seconds = self.clock.remaining() - CLOSE_RESERVE
                if written:
                    self.store.finish(successor.version_id, expected=expected, seconds=seconds)
                else:
                    self.store.replace(
                        successor.pair, expected=expected, version_id=successor.version_id, seconds=seconds
                    )
            except VersionSupersededError:
                return None
            except TokenNotStoredException as error:
                if self.clock.remaining() < pause + MIN_WRITE_TIME + CLOSE_RESERVE:
                    self.dead.add(expected)
                    if spent:
                        self.unwritten[expected] = successor
                    self.telemetry.refresh_failed(error, version_id=expected, first=True)
                    # No cooldown: whoever reports the dead token may refresh at once. But not with a refresh token that
                    # is spent, while this process may still store the new one.
                    retry_at = self.clock.now() + (COOLDOWN if spent else timedelta())
                    self._fail(expected, Failure(error.reason, retry_at, lost=True))
                    raise
            else:
                return successor
            self.clock.sleep(pause)
            pause = min(pause * 1.6, MAX_PAUSE)

    def _give_back(self, version_id: str, previous: Failure | None) -> None:
        """Undo the claim: a failure that it cleared away, with its cooldown, stands again."""
        if previous is None:
            self._close(self.lock.release, version_id)
        else:
            self._fail(version_id, previous)

    def _fail(self, version_id: str, failure: Failure) -> None:
        self._close(lambda version: self.lock.failed(version, failure), version_id)

    def _close(self, close: Callable[[str], None], version_id: str) -> None:
        """Close the claim. That it cannot be closed must not hide what happened under it: it ends by itself."""
        try:
            close(version_id)
        except RefreshTokenError as error:
            self.telemetry.lock_not_closed(error, version_id=version_id)


def _again(failure: Failure) -> RefreshTokenError:
    """Return the error of the attempt that failed a short while ago."""
    error = error_named(failure.reason)
    what_now = (
        "A person must sign in to Figma again and store the new pair."
        if error is ReauthorizationRequiredException
        else "Ask again after that."
        if error is IssuerUnavailableException
        else "See the function's log for that attempt."
    )
    return error(
        f"The last refresh of this version failed ({failure.reason}); the issuer is not asked again for consumers "
        f"before {iso_utc(failure.retry_at)}. {what_now}"
    )

"""One refresh per version: claim it, or wait for the holder of the claim.

A refresh kills the previous access token at once, so two overlapping ones can leave a dead token in the store. Hence
the claim comes before the call, and the winner reads the store again before it trusts what it read earlier:

    A  read V1 -- claim V1 - read V1 - issuer - write V2 - done
    B  read V1 --- held ........... wait ............. done - read V2           (B waited, and has A's token)
    C  read V1 -------------------------------------------------- claim V1 - read V2 - done     (C came late)
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from refresh_token.core.claimed_refresh import ClaimedRefresh, Outcome
from refresh_token.core.claims import Claim, CoolingDown, Done, Failure, HeldClaim
from refresh_token.core.connections import Connection
from refresh_token.core.issued_by import refuse_other_issuer
from refresh_token.core.ports import Clock, StoredPair, Telemetry
from refresh_token.core.process_memory import ProcessMemory
from refresh_token.core.spending import can_refresh
from refresh_token.core.time_budget import INITIAL_PAUSE, MIN_CALL_TIME, TOO_LITTLE_TIME, WRITE_RESERVE, next_pause
from refresh_token.core.windows import iso_utc
from refresh_token.errors import (
    IssuerUnavailableException,
    ReauthorizationRequiredException,
    RefreshInProgressException,
    RefreshTokenError,
    error_named,
)

NOTHING_TO_REFRESH: Final = (
    "The secret holds an access token, but no refresh token, so it cannot be refreshed. "
    "Run `tokenctl authorize --stage <stage>` to sign in."
)
PUT_BACK: Final = (
    "The current version was refreshed less than two minutes ago, and someone has made it current again since. Try "
    "again in two minutes."
)
IN_PROGRESS: Final = "The token is being refreshed by another invocation, which did not finish in time. Try again."


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshOnce:
    """Refreshes a version at most once, no matter how many invocations try.

    ``new_version_id`` makes the id of a version's successor. ``jitter`` returns a number from 0 to 1.
    """

    connection: Connection
    clock: Clock
    telemetry: Telemetry
    memory: ProcessMemory
    new_version_id: Callable[[str], str]
    jitter: Callable[[], float]

    def last_failure(self, version_id: str) -> tuple[Failure | None, bool]:
        """Return how the last refresh of a version failed, if it did, and whether the lock could say so."""
        try:
            return self.connection.lock.failure(version_id, now=self.clock.now()), True
        except RefreshTokenError as error:
            self.telemetry.lock_not_read(error, version_id=version_id)
            return None, False

    def refresh(
        self,
        seen: StoredPair,
        *,
        ignore_cooldown: bool,
        client_id: str | None = None,
        lost: Failure | None = None,
    ) -> Outcome:
        """Replace ``seen`` with a newer version, or wait for the invocation that is doing so.

        ``client_id`` is used only if the pair has none. ``lost`` is an earlier failure that lost an answer.

        Raises:
            ConfigurationException: the pair belongs to another issuer, or the settings are wrong.
            RefreshTokenError: the refresh failed, or nobody finished it in time.

        """
        self.connection.prepare_refresh()
        self._refuse(seen)
        pause, waited, message = INITIAL_PAUSE, False, TOO_LITTLE_TIME
        # The cooldown does not apply if this process only has to write a pair: it will not call the issuer.
        only_to_write = self.memory.successor_of(seen.version_id) is not None
        while True:
            if self.clock.remaining() < WRITE_RESERVE + MIN_CALL_TIME:
                raise RefreshInProgressException(message)
            # If the other invocation failed while we waited, its failure is our answer as well: two simultaneous ticks
            # make one attempt.
            claim = self._claim(seen.version_id, ignore_cooldown=only_to_write or (ignore_cooldown and not waited))
            if isinstance(claim, HeldClaim):
                return self._under_claim(replace(claim, previous=claim.previous or lost), client_id)
            if isinstance(claim, CoolingDown):
                raise _cooling_down(claim.failure)
            message = PUT_BACK if isinstance(claim, Done) else IN_PROGRESS
            self.clock.sleep(pause * (0.5 + self.jitter() / 2))
            pause, waited = next_pause(pause), True
            current = self.connection.store.read()
            if current.version_id != seen.version_id:
                return Outcome(current)

    def _refuse(self, seen: StoredPair) -> None:
        """Raise if the pair has nothing to refresh with, or belongs to another issuer, which must not see it."""
        issuer = self.connection.issuer
        if issuer.spends == "nothing":
            return
        try:
            refuse_other_issuer(
                seen.pair.issued_by,
                issuer.issued_by,
                what="The stored token pair belongs",
                how_to_fix="Run `tokenctl authorize --stage <stage>` to sign in there",
            )
            if not can_refresh(seen.pair, issuer.spends):
                raise ReauthorizationRequiredException(NOTHING_TO_REFRESH)
        except RefreshTokenError as error:
            self.telemetry.refresh_failed(error, version_id=seen.version_id, first=True)
            raise

    def _claim(self, version_id: str, *, ignore_cooldown: bool) -> Claim:
        try:
            return self.connection.lock.claim(
                version_id, seconds=self.clock.remaining(), now=self.clock.now(), ignore_cooldown=ignore_cooldown
            )
        except RefreshTokenError as error:
            self.telemetry.refresh_failed(error, version_id=version_id, first=True)
            raise

    def _under_claim(self, claim: HeldClaim, client_id: str | None) -> Outcome:
        return ClaimedRefresh(
            connection=self.connection,
            clock=self.clock,
            telemetry=self.telemetry,
            memory=self.memory,
            new_version_id=self.new_version_id,
            claim=claim,
            client_id=client_id,
        ).run()


def _cooling_down(failure: Failure) -> RefreshTokenError:
    """Return the error for consumers during the cooldown: the one of the attempt that failed."""
    error = error_named(failure.reason)
    what_now = (
        "A person must sign in again and store the new pair."
        if error is ReauthorizationRequiredException
        else "Try again after that."
        if error is IssuerUnavailableException
        else "See the function's log for that attempt."
    )
    return error(
        f"The last refresh of this version failed ({failure.reason}). Consumers cannot cause another attempt before "
        f"{iso_utc(failure.retry_at)}. {what_now}"
    )

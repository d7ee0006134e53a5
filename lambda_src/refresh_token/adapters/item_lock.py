"""The lock of a connection: the claim is a part of its item.

The failure before stays in the item during the claim, so what is known about a version survives a process that dies.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from refresh_token.adapters.aws_clients import ACCESS_CODES, Fault
from refresh_token.adapters.connection_table import ConnectionTable, Refused, not_found
from refresh_token.core.claims import Claim, CoolingDown, Done, Failure, Held, HeldClaim
from refresh_token.errors import (
    ConfigurationException,
    IssuerUnavailableException,
    RefreshTokenError,
    TokenNotStoredException,
)
from refresh_token.fleet import writes
from refresh_token.fleet.due import Keeping, Retry, after_failure, asked_to_wait, attempts_after
from refresh_token.fleet.gate import refusal
from refresh_token.fleet.record import Record
from refresh_token.fleet.states import State
from refresh_token.fleet.update import Request

if TYPE_CHECKING:
    from refresh_token.adapters.item_tokens import ItemTokens
    from refresh_token.core.token_pair import TokenPair

MAX_RACES: Final = 3
"""How often a change is tried while others change the state."""

Changed = Callable[[Record, State, "TokenPair | None"], None]
"""Is told of a change of state: the record before, the state after, and the new pair if there is one."""

Ending = Callable[[Record, "TokenPair"], None]
"""Is told once that the grant of a pair is about to end; the record is that before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRules:
    """What the connections of a provider have in common, and what an invocation knows.

    ``jitter`` returns a number from 0 to 1. ``force``: an operator asks, so the refresh of a connection that is stuck
    or refused is tried.
    """

    tokens: "ItemTokens"
    keeping: Keeping
    now: Callable[[], datetime]
    jitter: Callable[[], float]
    changed: Changed
    ending: Ending
    force: bool = False


@dataclass(frozen=True, slots=True)
class Holding:
    """A claim of ours: the item as it was before, and the refresh token once it was opened."""

    claim_id: str
    before: Record
    opened: str | None = field(default=None, repr=False)
    unreadable: RefreshTokenError | None = None


class ItemLock:
    """The port RefreshLock on one item, and what this process has seen of the item."""

    def __init__(self, record: Record, table: ConnectionTable, rules: ItemRules) -> None:
        self.name = record.name
        self._table, self._rules = table, rules
        self._seen: Record | None = record
        """The item as it was last seen, for a claim."""
        self._asked: Record | None = None
        """What the last read returned, for the next question about its failure."""
        self._holding: Holding | None = None
        self._unserved = False
        """Whether the next read is that of the claim."""

    def claim(self, version_id: str, *, seconds: float, now: datetime, ignore_cooldown: bool) -> Claim:
        """Try to claim the refresh of a version for at most ``seconds``; see the port.

        Raises ConnectionPausedException if an operator has paused the connection, or if it is stuck.
        """
        at, claim_id = now.timestamp(), str(uuid4())
        first = seen = self._seen if self._seen and self._seen.version == version_id else self._current()
        self._seen = None
        for _ in range(MAX_RACES):
            if seen.version != version_id:
                return Done()
            self._refuse_stuck(seen, at)
            request = writes.claim(seen, now=at, seconds=seconds, claim_id=claim_id, ignore_cooldown=ignore_cooldown)
            answer = self._table.claim(request)
            if isinstance(answer, Fault):
                raise lock_error(self.name, answer)
            if isinstance(answer, Record):
                return self._won(claim_id, answer)
            if answer.actual is None:
                raise not_found(self.name)
            if answer.actual.claim_id == claim_id:
                return self._won(claim_id, seen)  # by an attempt whose answer was lost
            seen = answer.actual
            if seen.is_claimed(at):
                return Held()
            # Whoever has failed since our read has made our attempt as well: a doubled message makes one.
            heeds = not ignore_cooldown or seen.failure != first.failure
            if heeds and seen.version == version_id and seen.failure and now < seen.failure.retry_at:
                return CoolingDown(seen.failure)
        return Held()

    def failure(self, version_id: str, *, now: datetime) -> Failure | None:
        """Return how the last refresh of a version failed; see the port. The read before it is asked first."""
        record, self._asked = self._asked or self._current(), None
        if record.version != version_id or record.is_claimed(now.timestamp()):
            return None
        if record.claim_id is None:
            return record.failure
        before = record.failure or Failure("", now)
        return replace(before, reason=TokenNotStoredException.__name__, retry_at=now, lost=True)

    def record_success(self, version_id: str) -> None:  # noqa: ARG002 - see below
        """Do nothing: `replace` has closed the claim, or another pair, which has none."""
        self._holding = None

    def record_failure(self, version_id: str, failure: Failure) -> None:
        """Close the claim and remember the failure; the state and the due time follow from it."""
        held = self._take(version_id)
        if held is None:
            return
        if failure is held.before.failure:
            self._release(held)
            return
        now, before = self._rules.now(), held.before
        attempts = attempts_after(before.attempts, failure)
        failure = asked_to_wait(failure, now=now)
        if before.claim_id is not None:  # whoever held it died, perhaps with an answer
            failure = replace(failure, lost=True)
        retry = after_failure(
            failure,
            attempts=attempts,
            expires_at=None if failure.lost else before.expires_at,
            now=now,
            u=self._rules.jitter(),
        )
        self._close_with(held, failure, attempts, retry)

    def delete_claim(self, version_id: str) -> None:
        """Close the claim and remember nothing."""
        if held := self._take(version_id):
            self._release(held)

    def _current(self) -> Record:
        """Read the item for the lock, whose errors are other ones."""
        try:
            return self._table.read(self.name)
        except RefreshTokenError as error:
            fault = error
        if getattr(fault, "passing", False):
            raise IssuerUnavailableException(str(fault))
        raise fault

    def _won(self, claim_id: str, before: Record) -> HeldClaim:
        self._holding, self._unserved = Holding(claim_id, before), True
        return HeldClaim(before.version, self, before.failure)

    def _refuse_stuck(self, seen: Record, at: float) -> None:
        """Raise if the connection is paused, or if so many claims were never closed that it is stuck."""
        if not self._rules.force and seen.open_claims >= writes.MAX_OPEN_CLAIMS and not seen.is_claimed(at):
            self._mark(seen, State.STUCK)
            seen = replace(seen, state=State.STUCK)
        # Whether to try what was refused or malformed is decided by whoever has read it, not by the lock.
        if error := refusal(seen, force=self._rules.force or seen.state in (State.REFUSED, State.MALFORMED)):
            raise error

    def _mark(self, record: Record, state: State) -> None:
        """Take a connection out of the refreshes. If that fails, the next one who reads it tries again."""
        if not record.state.is_kept_alive:
            return
        answer = self._table.claim(writes.mark(record, state, now=self._rules.now().timestamp()))
        if isinstance(answer, Record):
            self._tell(record, state)

    def _take(self, version_id: str) -> Holding | None:
        held, self._holding, self._unserved = self._holding, None, False
        self._seen = self._asked = None
        return held if held and held.before.version == version_id else None

    def _release(self, held: Holding) -> None:
        if held.unreadable:
            failure = Failure(held.unreadable.reason, self._rules.now())
            self._close_with(held, failure, held.before.attempts + 1, Retry(State.MALFORMED, None))
        else:
            self._close(held, writes.release(held.before, held.claim_id), None, held.before.state)

    def _close_with(self, held: Holding, failure: Failure, attempts: int, retry: Retry) -> None:
        request = writes.record_failure(held.before, held.claim_id, failure, attempts=attempts, retry=retry)
        self._close(held, request, failure, retry.state)

    def _close(self, held: Holding, request: Request, failure: Failure | None, after: State) -> None:
        """Close our claim; if somebody has changed the state meanwhile, it stays."""
        answer = self._table.claim(request)
        if isinstance(answer, Refused) and answer.actual and answer.actual.claim_id == held.claim_id:
            answer = self._table.claim(writes.close_claim(self.name, held.claim_id, failure))
        elif isinstance(answer, Record):
            self._tell(held.before, after)
        if isinstance(answer, Fault):
            raise lock_error(self.name, answer)

    def _tell(self, before: Record, after: State) -> None:
        if before.state is not after:
            self._rules.changed(before, after, None)


def lock_error(name: str, fault: Fault) -> RefreshTokenError:
    """Return the error for a claim that cannot be made or closed."""
    if fault.code in ACCESS_CODES or fault.code == "ResourceNotFoundException":
        return ConfigurationException(
            f"The connection {name} cannot be claimed ({fault.code}), so the provider was not called. Check that the "
            "table of connections exists and that the function's role may use it: `tokenctl doctor` finds what "
            "somebody has changed."
        )
    return IssuerUnavailableException(
        f"The table of connections does not answer ({fault.code}), so the claim on {name} is unsure. Try again later; "
        "if this persists, see the AWS Health Dashboard for DynamoDB."
    )

"""One connection's item, as the core's store and lock at once.

A refresh makes two calls that change the item. The claim is one: its answer is the item as it was, and the core's next
read is served from that answer. So what is read under the claim is what was claimed. Storing the new pair is the other:
it also closes the claim.

    worker   GetItem: V1 - UpdateItem: claim V1 (the answer is V1) - Decrypt - issuer - UpdateItem: V2, claim closed
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from refresh_token.adapters.aws_clients import Fault
from refresh_token.adapters.connection_table import MAX_CALL_TIME, ConnectionTable, Refused
from refresh_token.adapters.deadline import Deadline
from refresh_token.adapters.item_lock import MAX_RACES, Holding, ItemLock, ItemRules, lock_error
from refresh_token.core.failed_call import failure_after
from refresh_token.core.ports import StoredPair, VersionSupersededError
from refresh_token.core.token_pair import TokenPair
from refresh_token.core.windows import iso_utc
from refresh_token.errors import (
    RefreshTokenError,
    SecretMalformedException,
    SecretNotSeededException,
    TokenNotStoredException,
)
from refresh_token.fleet import writes
from refresh_token.fleet.due import after_failure, asked_to_wait, attempts_after, next_due
from refresh_token.fleet.gate import refusal
from refresh_token.fleet.record import Record
from refresh_token.fleet.states import State
from refresh_token.fleet.successor import Successor, fits

if TYPE_CHECKING:
    from refresh_token.core.unreadable_pair import UnreadablePair


class ConnectionItem(ItemLock):
    """The ports TokenStore and RefreshLock on one item. The first read is served from `record`, which was just read."""

    def __init__(self, record: Record, table: ConnectionTable, rules: ItemRules) -> None:
        super().__init__(record, table, rules)
        self._unused: Record | None = record
        """A record that was just read, and that the next read may use."""

    def read(self) -> StoredPair:
        """Return the current pair; see the port for what it raises.

        Only under a claim it has the refresh token. Also raises ConnectionNotFoundException,
        ConnectionPausedException, and ReauthorizationRequiredException if the provider has refused the grant.
        """
        if self._holding and self._unserved:
            return self._read_claimed(self._holding)
        record = self._unused or self._table.read(self.name)
        self._unused, self._seen, self._asked = None, record, record
        if error := refusal(record, force=self._rules.force):
            raise error
        try:
            return StoredPair(record.version, self._rules.tokens.pair(record))
        except (SecretMalformedException, SecretNotSeededException):
            self._mark(record, State.MALFORMED)
            raise

    def has_room_for(self, pair: TokenPair) -> bool:
        """Tell whether a pair fits into an item."""
        return fits(pair)

    def replace(self, pair: TokenPair, *, expected: str, version_id: str, seconds: float) -> None:
        """Store ``pair`` if ``expected`` is still current, and close our claim; see the port for what it raises."""
        deadline, now, rules = Deadline.after(seconds), self._rules.now(), self._rules
        held = self._holding
        before = held.before if held and held.before.version == expected else self._unclaimed(expected, pair)
        opened = held.opened if held and held.before is before else None
        new = Successor(pair, rules.tokens.stored(self.name, pair, opened, deadline), version_id, now)
        due_at = next_due(pair, rules.keeping, now=now, u=rules.jitter())
        told = self._end_to_tell(before, pair)
        after, request = State.ACTIVE, writes.replace(before, new, due_at=due_at, told=told)
        for _ in range(MAX_RACES):
            answer = self._table.write(request) if deadline.allows(MAX_CALL_TIME) else Fault("other", "no time left")
            found = self._looked_up(deadline) if isinstance(answer, Fault) else answer
            actual = found.actual if isinstance(found, Refused) else before
            if isinstance(answer, Record) or (actual and actual.version == version_id):
                self._stored(before, after, pair)  # perhaps by an attempt whose answer was lost
                if told:
                    rules.ending(before, pair)
                return
            if actual is None or actual.version != expected:
                raise VersionSupersededError
            if isinstance(answer, Fault):
                raise _not_stored(self.name, answer)
            paused = actual.state is State.PAUSED
            after = State.PAUSED if paused else State.ACTIVE
            told = None if paused else told
            request = (
                writes.replace_paused(before, new) if paused else writes.replace(before, new, due_at=due_at, told=told)
            )
        raise _not_stored(self.name, Fault("other", "the state changes all the time"))

    def pending(self, version_id: str) -> StoredPair | None:  # noqa: ARG002 - see below
        """Return None: a pair and its version are stored by one call, so none waits."""
        return None

    def promote(self, successor: str, *, expected: str, seconds: float) -> None:  # noqa: ARG002 - see below
        """Refuse: no pair waits."""
        raise VersionSupersededError

    def unreadable(self) -> "UnreadablePair":
        """Return what the item holds although it is no pair; see the port for what it raises."""
        from refresh_token.core.unreadable_pair import UnreadablePair  # noqa: PLC0415 - hardly any invocation needs it

        record = self._table.read(self.name)
        return UnreadablePair(record.document(record.access if isinstance(record.access, str) else None, None))

    def previous(self) -> StoredPair | None:
        """Return None: an item keeps one pair."""
        return None

    # The worker

    def move_on(self, stored: StoredPair) -> None:
        """Set the next due time of a connection whose token needs nothing now, unless it has another one by now.

        Raises:
            IssuerUnavailableException, ConfigurationException: the table cannot be used.

        """
        record = self._seen
        if record is None or record.due_at is None or record.version != stored.version_id:
            return
        due_at = next_due(stored.pair, self._rules.keeping, now=self._rules.now(), u=self._rules.jitter())
        calms = record.state is State.COOLING and record.claim_id is None
        if calms:
            answer = self._table.claim(writes.calm(record, due_at=due_at))
        else:
            told = self._end_to_tell(record, stored.pair)
            answer = self._table.claim(writes.reschedule(self.name, fence=record.due_at, due_at=due_at, told=told))
            if told and isinstance(answer, Record):
                self._rules.ending(record, stored.pair)
        if isinstance(answer, Fault):
            raise lock_error(self.name, answer)
        if calms and isinstance(answer, Record):
            self._rules.changed(record, State.ACTIVE, None)

    def put_off(self, error: RefreshTokenError) -> None:
        """Remember an error that came before any claim, unless the connection has another due time by now.

        Raises:
            IssuerUnavailableException, ConfigurationException: the table cannot be used.

        """
        record, now = self._seen, self._rules.now()
        if record is None or record.due_at is None:
            return
        failure = failure_after(error, record.failure, now=now)
        attempts = attempts_after(record.attempts, failure)
        failure = asked_to_wait(failure, now=now)
        retry = after_failure(failure, attempts=attempts, expires_at=record.expires_at, now=now, u=self._rules.jitter())
        answer = self._table.claim(writes.note_failure(record, failure, attempts=attempts, retry=retry))
        if isinstance(answer, Fault):
            raise lock_error(self.name, answer)
        if isinstance(answer, Record):
            self._tell(record, retry.state)

    def _read_claimed(self, held: Holding) -> StoredPair:
        self._unserved = False
        try:
            opened = self._rules.tokens.opened(held.before)
            self._rules.tokens.check_key(held.before)
            pair = self._rules.tokens.pair(held.before, opened)
        except (SecretMalformedException, SecretNotSeededException) as error:
            self._holding = replace(held, unreadable=error)
            raise
        self._holding = replace(held, opened=opened)
        return StoredPair(held.before.version, pair)

    def _looked_up(self, deadline: Deadline) -> Refused | Fault:
        """Read the item after a change that may or may not have been made."""
        if not deadline.allows(MAX_CALL_TIME):
            return Fault("other", "no time left")
        return self._table.looked_up(self.name)

    def _end_to_tell(self, record: Record, pair: TokenPair) -> str | None:
        """Return the end of the grant if it is near and nobody was told of it yet."""
        life = self._rules.keeping.grant_life
        end = life.end(pair) if life.is_ending(pair, now=self._rules.now()) else None
        return None if end is None or iso_utc(end) == record.told else iso_utc(end)

    def _unclaimed(self, version: str, pair: TokenPair) -> Record:
        return Record(name=self.name, provider=pair.provider, state=State.ACTIVE, version=version)

    def _stored(self, before: Record, after: State, pair: TokenPair) -> None:
        self._holding = self._seen = self._asked = None
        if before.state is not after and after is State.ACTIVE:
            self._rules.changed(before, after, pair)


def _not_stored(name: str, fault: Fault) -> TokenNotStoredException:
    return TokenNotStoredException(
        f"The token of the connection {name} was refreshed but could not be stored ({fault.code}), so the stored "
        "access token is dead. The next refresh fixes that, unless the provider has replaced the refresh token: then a "
        "person may have to sign in. Check the function's permissions on the table of connections and its key: "
        "`tokenctl doctor` finds what somebody has changed.",
        final=fault.code == "ValidationException",
    )

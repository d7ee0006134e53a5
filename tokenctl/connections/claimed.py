"""A connection whose claim a command holds, so that nobody refreshes it meanwhile."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import ceil
from typing import Final
from uuid import uuid4

from refresh_token.fleet import operator_writes, writes
from refresh_token.fleet.attributes import encode_item
from refresh_token.fleet.record import Record
from tokenctl.connections.entries import Entry
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.storing import Storing
from tokenctl.connections.table import ChangedError, Table
from tokenctl.errors import TokenctlError
from tokenctl.stack.lock_claim import SECONDS

GRACE: Final = 600
"""Seconds after the claim until the dispatcher looks at a connection whose move was killed: time to run it again."""

NOTHING: Final = "Nothing was changed."


@dataclass(frozen=True)
class Claimed:
    """A connection that we hold the claim of, as it was seen, and its table."""

    table: Table
    seen: Record
    claim_id: str

    @classmethod
    def new(cls, fleet: Fleet, entry: Entry, version_id: str) -> "Claimed":
        """Store a connection, claimed. One of this very version is left from a move that was killed.

        Raises:
            TokenctlError: there is another connection of that name, or it is being refreshed.

        """
        table, now, claim_id = Table(fleet), datetime.now(UTC), str(uuid4())
        before = table.find(entry.name)
        if before is not None and before.version != version_id:
            raise TokenctlError(f"There is another connection {entry.name}. {NOTHING}")
        if before is not None:
            return cls.existing(table, before)
        until = now.timestamp() + SECONDS
        held = {"claimId": claim_id, "claimUntil": until, "openClaims": 1, "dueAt": ceil(until) + GRACE}
        item = Storing(fleet).item(entry, version=version_id, now=now)
        try:
            table.put(operator_writes.seed({**item, **encode_item(held)}, over=None))
        except ChangedError:
            raise TokenctlError(f"Meanwhile, somebody else has made {entry.name}. {NOTHING}") from None
        return cls(table, table.get(entry.name), claim_id)

    @classmethod
    def existing(cls, table: Table, seen: Record, *, seconds: float = SECONDS) -> "Claimed":
        """Claim a connection for at most `seconds`; raises TokenctlError if it is being refreshed."""
        now, claim_id = datetime.now(UTC).timestamp(), str(uuid4())
        try:
            table.update(writes.claim(seen, now=now, seconds=seconds, claim_id=claim_id, ignore_cooldown=True))
        except ChangedError as error:
            if error.now is None or not error.now.is_claimed(now):
                raise
            raise TokenctlError(f"{seen.name} is being refreshed. {NOTHING} Try again in a minute.") from None
        return cls(table, seen, claim_id)

    def release(self) -> None:
        """Close the claim, as if it had never been made."""
        self.table.update(writes.release(self.seen, self.claim_id))

    def hand_over(self) -> None:
        """Close the claim with which the connection was stored, and let the dispatcher look at it soon."""
        soon = None if self.seen.due_at is None else ceil(datetime.now(UTC).timestamp())
        free = replace(self.seen, due_at=soon, claim_id=None, claim_until=None, open_claims=0)
        self.table.update(writes.release(free, self.claim_id))

    def delete(self) -> None:
        """Delete the connection."""
        self.table.delete(operator_writes.remove_claimed(self.seen.name, self.claim_id))

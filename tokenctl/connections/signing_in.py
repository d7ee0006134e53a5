"""Storing the pair of a sign-in as a connection."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from refresh_token.core.token_pair import TokenPair
from refresh_token.fleet.providers import Provider
from refresh_token.fleet.record import Record
from tokenctl.connections.entries import Entries, Entry
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.issuers import Issuers
from tokenctl.connections.json_lines import Fault
from tokenctl.connections.state_changes import StateChangeEvents
from tokenctl.connections.storing import Storing
from tokenctl.connections.table import ChangedError
from tokenctl.errors import TokenctlError, UsageError
from tokenctl.sign_in.store_grant import NewGrant, StoredSignIn

MAX_TRIES = 3
"""How often the pair is stored, if a refresh changes the connection that it replaces."""


@dataclass(frozen=True, kw_only=True)
class NewConnection:
    """The connection that somebody signs in for."""

    fleet: Fleet
    name: str
    provider: Provider
    params: dict[str, str]

    def check(self) -> None:
        """Raise UsageError if no pair with these parameters could be stored: better now than after the sign-in."""
        try:
            Issuers(self.fleet.settings.providers).of(self.provider, self.params)
        except Fault as fault:
            text = str(fault)
        else:
            return
        raise UsageError(f"This connection does not fit the fleet: {text}.")

    def store(self, seen: Record | None, pair: TokenPair, new: NewGrant) -> StoredSignIn:
        """Store the pair over what was `seen`; raises TokenctlError if that fails.

        The policy of the connection stays.
        """
        now = datetime.now(UTC)
        try:
            entry = self._entry(seen, pair, new, now)
            self._store(seen, entry, now)
        except TokenctlError as error:
            raise type(error)(
                "A new pair was issued, which ends an older one of the same user, but it could not be stored: "
                f"{error} Fix that and run the command again."
            ) from None
        self._tell(seen, entry, now)
        return StoredSignIn(
            version_id=entry.version, expires_at=pair.expires_at, user=new.who(pair) if new.who else None
        )

    def _entry(self, seen: Record | None, pair: TokenPair, new: NewGrant, now: datetime) -> Entry:
        scope = {"scope": " ".join(new.scopes)} if new.scopes else {}
        document = {
            **scope,
            **json.loads(pair.to_json()),
            "issuedBy": new.issued_by.to_document(),
            "connection": self.name,
            "provider": self.provider.name,
            "params": self.params,
            **({"policy": seen.policy} if seen and seen.policy else {}),
        }
        try:
            return Entries(Issuers(self.fleet.settings.providers)).make(document, created=now, now=now)
        except Fault as fault:
            text = str(fault)
        raise TokenctlError(f"it does not fit the fleet: {text}.")

    def _store(self, seen: Record | None, entry: Entry, now: datetime) -> None:
        over = seen
        for left in reversed(range(MAX_TRIES)):
            try:
                Storing(self.fleet).store(entry, version=entry.version, over=over, now=now)
            except ChangedError as error:
                # A refresh has stored a pair of the earlier grant. A connection that somebody else has made stays.
                if not left or seen is None:
                    raise
                over = error.now
            else:
                return

    def _tell(self, seen: Record | None, entry: Entry, now: datetime) -> None:
        events = StateChangeEvents(self.fleet)
        events.connected(seen, entry, now)
        events.send()

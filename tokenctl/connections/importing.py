"""Importing many connections: what each one becomes, and storing them."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from threading import Lock

from refresh_token.fleet.record import Record
from tokenctl.connections.entries import Entry
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.import_check import Checked
from tokenctl.connections.many import for_each
from tokenctl.connections.state_changes import StateChangeEvents
from tokenctl.connections.storing import Pace, Storing
from tokenctl.connections.table import ChangedError, Table

CHUNK = 1_000
"""How many connections are looked up before they are stored: enough for `AT_ONCE` calls, and little to hold."""


class Fate(StrEnum):
    """What becomes of an entry."""

    IMPORTED = "imported"
    """There was no such connection."""

    REPLACED = "replaced"
    """There was another pair."""

    UNCHANGED = "unchanged"
    """This very pair is there."""

    KEPT = "kept"
    """There is another pair, mostly a later one, which stays."""


class Import:
    """The import of checked connections. It stores each one with one conditional write, so that it can be repeated."""

    def __init__(self, fleet: Fleet, checked: Checked, *, replace: bool) -> None:
        self._checked = checked
        self._replace = replace
        self._table = Table(fleet)
        self._storing = Storing(fleet, pace=Pace(fleet.settings.refreshes_per_second))
        self._events = StateChangeEvents(fleet)
        self._lock = Lock()
        self.fates = Counter[Fate]()
        """How many connections have met each fate so far."""

    def plan(self, done: Callable[[], None]) -> None:
        """Count what would become of each connection, and call `done` after each one; raises as `perform`."""
        for entry, seen in self._entries():
            self.fates[self._fate(entry, seen)] += 1
            done()

    def perform(self, done: Callable[[], None]) -> None:
        """Store the connections, and call `done` after each one; tell EventBridge.

        Raises:
            UsageError: the input can no longer be read, or has changed since the check.
            ServiceError, ConfigurationError: KMS or DynamoDB fails or denies access.

        """
        try:
            for _ in for_each(self._entries(), self._import):
                done()
        finally:
            self._events.send()

    def _entries(self) -> Iterator[tuple[Entry, Record | None]]:
        """Yield each connection with what is stored of it."""
        entries = self._checked.entries()
        while chunk := list(islice(entries, CHUNK)):
            stored = self._table.find_all([entry.name for entry in chunk])
            yield from ((entry, stored.get(entry.name)) for entry in chunk)

    def _import(self, planned: tuple[Entry, Record | None]) -> None:
        fate = self._fate(*planned)
        if fate in {Fate.IMPORTED, Fate.REPLACED} and not self._store(*planned):
            fate = Fate.KEPT
        with self._lock:
            self.fates[fate] += 1

    def _store(self, entry: Entry, seen: Record | None) -> bool:
        """Store an entry, unless somebody else has changed the connection meanwhile."""
        now = datetime.now(UTC)
        try:
            self._storing.store(entry, version=entry.version, over=seen, now=now)
        except ChangedError as error:
            # Our own write, whose answer got lost, or somebody else's.
            if error.now is None or self._fate(entry, error.now) is not Fate.UNCHANGED:
                return False
        self._events.connected(seen, entry, now)
        return True

    def _fate(self, entry: Entry, stored: Record | None) -> Fate:
        if stored is None:
            return Fate.IMPORTED
        same = (stored.version, stored.provider, dict(stored.params), stored.policy) == (
            *(entry.version, entry.provider.name),
            *(dict(entry.params), entry.policy),
        )
        return Fate.UNCHANGED if same else Fate.REPLACED if self._replace else Fate.KEPT

"""Importing many connections: what each one becomes, and storing them."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from refresh_token.fleet.record import Record
from tokenctl.connections.entries import Entries, Entry
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.json_lines import Document, Fault
from tokenctl.connections.many import for_each
from tokenctl.connections.state_changes import StateChangeEvents
from tokenctl.connections.storing import Storing
from tokenctl.connections.table import ChangedError, Table


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


@dataclass(frozen=True)
class Input:
    """What was read: the entries, and what was refused, each with its place, such as `line 3`, and the reason."""

    entries: list[Entry]
    refused: list[tuple[str, str]]

    @property
    def left_out(self) -> list[str]:
        """The keys that connections do not keep."""
        return sorted({key for entry in self.entries for key in entry.left_out})

    @property
    def capped(self) -> int:
        """How many expiries are further away than any token lives."""
        return sum(entry.pair.capped for entry in self.entries)


def read_input(documents: Iterable[tuple[str, Document | Fault, datetime]], entries: Entries) -> Input:
    """Validate each document, which has a place and a time of its own. A connection that is there twice is refused."""
    now = datetime.now(UTC)
    read: dict[str, Entry | Fault] = {}
    places: dict[str, str] = {}
    for place, document, created in documents:
        made = document if isinstance(document, Fault) else _made(entries, document, created, now)
        read[place] = made
        if isinstance(made, Entry) and (first := places.setdefault(made.name, place)) != place:
            read[place] = Fault(f"its connection is in {first} as well")
            read[first] = Fault(f"its connection is in {place} as well")
    return Input(
        [made for made in read.values() if isinstance(made, Entry)],
        [(place, str(made)) for place, made in read.items() if isinstance(made, Fault)],
    )


def _made(entries: Entries, document: Document, created: datetime, now: datetime) -> Entry | Fault:
    try:
        return entries.make(document, created=created, now=now)
    except Fault as fault:
        return fault


class Import:
    """The import of some entries. It stores each one with one conditional write, so that it can be repeated."""

    def __init__(self, fleet: Fleet, entries: Sequence[Entry], *, replace: bool) -> None:
        self._fleet = fleet
        self._replace = replace
        self._events = StateChangeEvents(fleet)
        self._stored = Table(fleet).find_all([entry.name for entry in entries])
        self._planned = [(entry, self._fate(entry, self._stored.get(entry.name))) for entry in entries]
        self.fates = {name: fate for entry, fate in self._planned if (name := entry.name) and not _writes(fate)}
        """What has become of each connection so far."""

    @property
    def writes(self) -> list[Entry]:
        """The entries that are to be stored."""
        return [entry for entry, fate in self._planned if _writes(fate)]

    @property
    def stored(self) -> int:
        """How many of them are stored so far."""
        return sum(map(_writes, self.fates.values()))

    @property
    def planned(self) -> Counter[Fate]:
        """How many entries of each fate there will be, if nothing else changes them."""
        return Counter(fate for _, fate in self._planned)

    def perform(self, done: Callable[[], None]) -> None:
        """Store the entries, and call `done` after each one; then tell EventBridge.

        Raises what `Storing.store` does, but ChangedError.
        """
        rate = self._fleet.settings.refreshes_per_second
        storing = Storing(self._fleet, spread=timedelta(seconds=len(self.writes) / rate))

        def store(entry: Entry) -> None:
            self.fates[entry.name] = self._store(storing, entry)

        try:
            for _ in for_each(self.writes, store):
                done()
        finally:
            self._events.send()

    def _store(self, storing: Storing, entry: Entry) -> Fate:
        seen, now = self._stored.get(entry.name), datetime.now(UTC)
        try:
            storing.store(entry, version=entry.version, over=seen, now=now)
        except ChangedError as error:
            # Our own write, whose answer got lost, or somebody else's.
            if error.now is None or error.now.version != entry.version:
                return Fate.KEPT
        self._events.connected(seen, entry, now)
        return Fate.REPLACED if seen else Fate.IMPORTED

    def _fate(self, entry: Entry, stored: Record | None) -> Fate:
        if stored is None:
            return Fate.IMPORTED
        same = (stored.version, stored.provider, dict(stored.params), stored.policy) == (
            *(entry.version, entry.provider.name),
            *(dict(entry.params), entry.policy),
        )
        return Fate.UNCHANGED if same else Fate.REPLACED if self._replace else Fate.KEPT


def _writes(fate: Fate) -> bool:
    return fate in {Fate.IMPORTED, Fate.REPLACED}

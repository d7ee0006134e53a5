"""Checking the input of an import before anything is stored. Of a million lines, only names are held."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tokenctl.connections.entries import Entries, Entry
from tokenctl.connections.json_lines import Fault
from tokenctl.connections.sources import Given, Source
from tokenctl.errors import UsageError


@dataclass
class Checked:
    """An input, and what is wrong with it."""

    source: Source
    maker: Entries
    refused: dict[int, str] = field(default_factory=dict)
    """The reason for each document that is refused, by its number."""

    left_out: set[str] = field(default_factory=set)
    """The keys that connections do not keep."""

    capped: int = 0
    """How many expiries are further away than any token lives."""

    _numbers: dict[str, int] = field(default_factory=dict, repr=False)
    """The document of each connection."""

    _twice: set[str] = field(default_factory=set, repr=False)

    @property
    def count(self) -> int:
        """How many connections can be imported."""
        return len(self._numbers) - len(self._twice)

    @property
    def refusals(self) -> list[tuple[str, str]]:
        """The place and the reason of each refusal, in the order of the input."""
        return [(self.source.place(number), reason) for number, reason in sorted(self.refused.items())]

    def take(self, given: Given, now: datetime) -> None:
        """Check one document. A connection that is there twice is refused both times."""
        try:
            entry = self._made(given, now)
        except Fault as fault:
            self._refuse(given.number, str(fault))
            return
        self.left_out.update(entry.left_out)
        self.capped += entry.pair.capped
        first = self._numbers.setdefault(entry.name, given.number)
        if first != given.number:
            self._twice.add(entry.name)
            self.refused.setdefault(first, f"its connection is in {self.source.place(given.number)} as well")
            self._refuse(given.number, f"its connection is in {self.source.place(first)} as well")

    def entries(self) -> Iterator[Entry]:
        """Read the input again, and yield what was not refused.

        Raises:
            UsageError: the input can no longer be read, or has changed since the check.

        """
        now, left = datetime.now(UTC), self.count
        for given in self.source.read():
            if given.number in self.refused:
                continue
            try:
                entry = self._made(given, now)
            except Fault:
                break
            if self._numbers.get(entry.name) != given.number:
                break
            left -= 1
            yield entry
        if left:
            raise UsageError("The input has changed since it was checked. Repeat the command when it is complete.")

    def _made(self, given: Given, now: datetime) -> Entry:
        if isinstance(given.document, Fault):
            raise given.document
        return self.maker.make(given.document, created=given.created, now=now)

    def _refuse(self, number: int, reason: str) -> None:
        self.refused[number] = sys.intern(reason)  # of a million lines, many have the same fault


def check(source: Source, maker: Entries, done: Callable[[int], None]) -> Checked:
    """Check every document, and call `done` with the steps of the source's length after each.

    Raises:
        UsageError: the input cannot be read.

    """
    checked, now, before = Checked(source, maker), datetime.now(UTC), 0
    for given in source.read():
        checked.take(given, now)
        done(given.position - before)
        before = given.position
    return checked

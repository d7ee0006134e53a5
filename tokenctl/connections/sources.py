"""Where the connections of an import come from. Each source is read twice: to check all of it, and to store it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from os import SEEK_END
from pathlib import Path
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Final, Protocol

from tokenctl.connections.json_lines import Document, Fault, read_lines
from tokenctl.errors import UsageError
from tokenctl.terminal.standard_input import binary_input

MAX_IN_MEMORY: Final = 256 * 1024 * 1024
"""Bytes of a pipe that are held in memory. What is longer goes to a file that has no name and ends with the process."""


@dataclass(frozen=True, slots=True)
class Given:
    """One document of a source, or what is wrong with it."""

    number: int
    document: Document | Fault
    created: datetime
    """What its times count from."""

    position: int
    """How far the source is read, of its length."""


class Source(Protocol):
    """Documents that can be read again."""

    @property
    def length(self) -> int:
        """How long it is, in steps of its own."""
        ...

    def read(self) -> Iterator[Given]:
        """Yield the documents from the beginning."""
        ...

    def place(self, number: int) -> str:
        """Return where an operator finds a document."""
        ...


@dataclass(frozen=True)
class Lines:
    """JSON Lines. They are as long as their bytes."""

    stream: BinaryIO
    start: int
    """Where they begin in the stream: a shell may have read the lines before."""

    length: int
    created: datetime

    def read(self) -> Iterator[Given]:
        """Yield the lines from the beginning; raises UsageError if that fails."""
        with _readable():
            self.stream.seek(self.start)
            for number, document in read_lines(self.stream):
                yield Given(number, document, self.created, self.stream.tell() - self.start)

    def place(self, number: int) -> str:
        """Return the line."""
        return f"line {number}"


@contextmanager
def open_lines(source: str) -> Iterator[Lines]:
    """Open a file, or standard input if it is `-`; raises UsageError if it cannot be read."""
    now = datetime.now(UTC)
    with ExitStack() as stack:
        with _readable():
            stream = binary_input() if source == "-" else stack.enter_context(Path(source).open("rb"))
            again = stream if stream.seekable() else stack.enter_context(_spooled(stream))
            start = again.tell()
            length = again.seek(0, SEEK_END) - start
        yield Lines(again, start, length, now)


@contextmanager
def _spooled(pipe: BinaryIO) -> Iterator[BinaryIO]:
    with SpooledTemporaryFile(MAX_IN_MEMORY) as spool:
        copyfileobj(pipe, spool)
        spool.seek(0)
        yield spool  # type: ignore[misc]  # typeshed's class is no BinaryIO, but has all of it


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # The file's name is not shown: it may be a misplaced token.
        fault = f"The file that --from names cannot be read ({error.strerror}). Name a file, or - for standard input."
    else:
        return
    raise UsageError(fault)

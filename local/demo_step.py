"""One step of a demo, and its checks."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console
from rich.text import Text

LINE_SECONDS: Final = 10.0
"""How often a log gets a line that the demo still runs. On a terminal, a line moves instead."""


class DemoFailedError(RuntimeError):
    """The demo did not see what it should have seen."""


@dataclass
class Step:
    """A step that runs. `detail` says how far it has come."""

    what: str
    detail: str = ""
    start: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """How long it has run."""
        return time.monotonic() - self.start

    def __rich__(self) -> Text:
        """Return the moving line. It is cut off at the end of the screen's line."""
        detail = f": {self.detail}" if self.detail else ""
        return Text(f"{self.what} ... {self.seconds:.0f} s{detail}", no_wrap=True, overflow="ellipsis")


@contextmanager
def step(console: Console, what: str) -> Iterator[Step]:
    """Show that a step is running, and then how long it took."""
    running = Step(what)
    if can_move(console):
        with console.status(running):
            yield running
    else:
        say(console, f"     {what} ...")
        with _reported(console, running):
            yield running
    say(console, f"[green]done[/] {what} [dim]({running.seconds:.0f} s)[/]")


def can_move(console: Console) -> bool:
    """Tell whether a line can be drawn again: not in a log, and not on a terminal that cannot move its cursor."""
    return console.is_terminal and not console.is_dumb_terminal


def say(console: Console, text: str) -> None:
    """Print a line. A log gets it as one line, however long it is."""
    console.print(text, soft_wrap=not console.is_terminal)


def check(what: str, seen: bool) -> None:  # noqa: FBT001 - the value itself
    """Raise `DemoFailedError` unless it was seen."""
    if not seen:
        raise DemoFailedError(f"A check failed: {what}. See the logs.")


def progress_of(running: Step) -> Callable[[str], None]:
    """Return what follows the lines of `cdk deploy`, for the step that it is."""
    running.detail = "writing the template"

    def follow(text: str) -> None:
        parts = [part.strip() for part in text.split("|")]
        if "start: Publishing" in text:
            running.detail = "uploading the functions"
        elif "creating CloudFormation changeset" in text:
            running.detail = "creating the resources"
        elif len(parts) > 1 and "/" in parts[1]:
            running.detail = f"{parts[1]} resources"

    return follow


@contextmanager
def _reported(console: Console, running: Step) -> Iterator[None]:
    """Print a line at intervals until the block ends."""
    ended = threading.Event()

    def report() -> None:
        while not ended.wait(LINE_SECONDS):
            say(console, f"     {running.__rich__().plain}")

    reporter = threading.Thread(target=report, name="step", daemon=True)
    reporter.start()
    try:
        yield
    finally:
        ended.set()
        reporter.join()

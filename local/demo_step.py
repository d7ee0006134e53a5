"""One step of a demo, and its checks."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status


class DemoFailedError(RuntimeError):
    """The demo did not see what it should have seen."""


@contextmanager
def step(console: Console, what: str) -> Iterator[Status]:
    """Show that a step is running, and then how long it took."""
    start = time.monotonic()
    if not console.is_terminal:
        console.print(f"     {what} ...")
    with console.status(f"{what} ...") as status:
        yield status
    console.print(f"[green]done[/] {what} [dim]({time.monotonic() - start:.0f} s)[/]")


def check(what: str, seen: bool) -> None:  # noqa: FBT001 - the value itself
    """Raise `DemoFailedError` unless it was seen."""
    if not seen:
        raise DemoFailedError(f"A check failed: {what}. See the logs.")

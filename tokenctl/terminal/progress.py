"""How far a long command has come."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def progress(label: str, length: int, *, counts: bool = True) -> Iterator[Callable[[int], None]]:
    """Show a bar on standard error, if that is a terminal, and yield what to call with the steps that are done.

    `counts`: whether people want to see the numbers of the steps, and not only a percentage.
    """
    if not sys.stderr.isatty() or not length:
        yield lambda _steps: None
        return
    with click.progressbar(length=length, label=label, file=sys.stderr, show_pos=counts) as bar:
        yield bar.update

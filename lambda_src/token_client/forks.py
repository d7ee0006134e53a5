"""Tells objects that the process has forked: a child must not use its parent's locks, threads and connections."""

import os
import weakref
from typing import Final, Protocol


class Forked(Protocol):
    """An object that a child process must not share with its parent."""

    def after_fork(self) -> None:
        """Make it usable in the child."""
        ...


_FORKED: Final[weakref.WeakSet[Forked]] = weakref.WeakSet()


def note(thing: Forked) -> None:
    """Call the object's `after_fork` in each child process, as long as the object lives."""
    _FORKED.add(thing)


def _after_fork_in_child() -> None:
    for each in list(_FORKED):
        each.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)

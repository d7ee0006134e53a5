"""Doing the same for many connections, several at once."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import Final, TypeVar

from tokenctl.connections.fleet import AT_ONCE

A_FEW: Final = 4 * AT_ONCE
"""How many are handed to the threads ahead of time."""

Thing = TypeVar("Thing")
Result = TypeVar("Result")


def for_each(things: Iterable[Thing], do: Callable[[Thing], Result]) -> Iterator[tuple[Thing, Result]]:
    """Yield each thing with its result, as they come.

    What `do` raises first is raised here, and an interruption as well; but not before those that have begun have ended,
    so that every one was either done or not begun.
    """
    left = iter(things)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running: dict[Future[Result], Thing] = {}
        try:
            while True:
                running |= {pool.submit(do, thing): thing for thing in islice(left, A_FEW - len(running))}
                if not running:
                    return
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(done), done.result()
        finally:
            pool.shutdown(cancel_futures=True)

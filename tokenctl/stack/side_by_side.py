"""Doing several things at once."""

import time
from collections.abc import Callable, Iterator, Mapping
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final, NoReturn, TypeVar

from tokenctl.errors import TokenctlError

T = TypeVar("T")

LIMIT: Final = 10.0
"""Seconds until a task counts as one without an answer."""


def limit_inside() -> float:
    """Return the seconds for what a task does side by side itself, so that it can tell before its own limit ends."""
    return LIMIT * 0.8


class Worker(Thread):
    """A thread that performs a task."""

    abandoned = False
    """Whether nobody waits for it any more."""


def no_answer(seconds: float) -> NoReturn:
    """Raise a TokenctlError, in place of a result that is late."""
    raise TokenctlError(f"AWS gave no answer within {seconds:g} seconds. Check the network, and AWS's health page.")


def in_time(task: Callable[[], T]) -> T:
    """Return the result of a task; raises TokenctlError if that takes too long."""
    return all_in_time({"task": task})["task"]


def all_in_time(tasks: Mapping[str, Callable[[], T]]) -> dict[str, T]:
    """Return the results of tasks that start at once, by name; raises TokenctlError if one takes too long."""
    return dict(side_by_side(tasks, late=no_answer))


def side_by_side(
    tasks: Mapping[str, Callable[[], T]], *, late: Callable[[float], T], limit: float | None = None
) -> Iterator[tuple[str, T]]:
    """Start all tasks at once; yield each one's name and result as it comes, and `late(limit)` for the rest in the end.

    `limit` is in seconds, LIMIT by default.
    What a task raises is raised here. A task that hangs does not keep the process from ending.
    """
    limit = LIMIT if limit is None else limit
    results: SimpleQueue[tuple[str, T | None, BaseException | None]] = SimpleQueue()

    def perform(name: str, task: Callable[[], T]) -> None:
        try:
            results.put((name, task(), None))
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            results.put((name, None, error))

    workers = {name: Worker(target=perform, args=(name, task), daemon=True) for name, task in tasks.items()}
    for worker in workers.values():
        worker.start()
    end, waiting = time.monotonic() + limit, list(tasks)
    while waiting:
        try:
            name, result, error = results.get(timeout=max(end - time.monotonic(), 0.001))
        except Empty:
            for name in waiting:
                workers[name].abandoned = True
            yield from ((name, late(limit)) for name in waiting)
            return
        if error is not None:
            raise error
        waiting.remove(name)
        yield name, result  # type: ignore[misc]  # without an error there is a result

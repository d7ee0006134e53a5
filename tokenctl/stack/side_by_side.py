"""Doing several things at once."""

import time
from collections.abc import Callable, Iterator, Mapping
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final, TypeVar

T = TypeVar("T")

LIMIT: Final = 10.0
"""Seconds until a task counts as one without an answer."""


def side_by_side(
    tasks: Mapping[str, Callable[[], T]], *, late: Callable[[float], T], limit: float = LIMIT
) -> Iterator[tuple[str, T]]:
    """Start all tasks at once; yield each one's name and result as it comes, and `late(limit)` for the rest in the end.

    What a task raises is raised here. A task that hangs does not keep the process from ending.
    """
    results: SimpleQueue[tuple[str, T | None, BaseException | None]] = SimpleQueue()

    def perform(name: str, task: Callable[[], T]) -> None:
        try:
            results.put((name, task(), None))
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            results.put((name, None, error))

    for name, task in tasks.items():
        Thread(target=perform, args=(name, task), daemon=True).start()
    end, waiting = time.monotonic() + limit, list(tasks)
    while waiting:
        try:
            name, result, error = results.get(timeout=max(end - time.monotonic(), 0.001))
        except Empty:
            yield from ((name, late(limit)) for name in waiting)
            return
        if error is not None:
            raise error
        waiting.remove(name)
        yield name, result  # type: ignore[misc]  # without an error there is a result

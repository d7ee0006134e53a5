"""Asks the function from async code, on asyncio or trio, without blocking the event loop."""

from collections.abc import Callable
from typing import Final, TypeVar

import anyio
import anyio.lowlevel
import anyio.to_thread

from token_client.calls import timed_out

MAX_THREADS: Final = 8
"""Questions that wait at once, for each auth and event loop. All of them wait for the same call of the function."""

GRACE: Final = 0.5
"""Seconds. A `TokenClient` gives up by itself, and may then return a token that is still alive."""

T = TypeVar("T")


class AsyncQuestions:
    """Runs questions in worker threads, with a limit of its own: the rest of the program shares anyio's 40 threads."""

    async def ask(self, question: Callable[[], T], seconds: float | None) -> T:
        """Return the result of a question, which takes at most so many seconds. Ends at once when it is cancelled."""
        with anyio.move_on_after(None if seconds is None else seconds + GRACE):
            return await anyio.to_thread.run_sync(question, abandon_on_cancel=True, limiter=self._limiter())
        raise timed_out(seconds)

    def _limiter(self) -> anyio.CapacityLimiter:
        of_this_loop: anyio.lowlevel.RunVar[anyio.CapacityLimiter] = anyio.lowlevel.RunVar(f"token_client {id(self)}")
        try:
            return of_this_loop.get()
        except LookupError:
            of_this_loop.set(limiter := anyio.CapacityLimiter(MAX_THREADS))
            return limiter

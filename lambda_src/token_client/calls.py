"""The calls of the function: what a caller needs, and a call that is under way."""

import contextvars
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from token_client.answers import Received
from token_client.errors import InvokeTimedOutException, TokenClientError
from token_client.kept_token import Now
from token_client.tokens import Token


class Ask(Protocol):
    """Invokes the function."""

    def __call__(self, event: Mapping[str, str], *, patient: bool) -> Received:
        """Return its token answer; raises a `TokenClientError`. Not `patient`: a live token is at hand."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller needs: a token; one that replaces ``reported``; or, if there is one, a newer one than ``known``."""

    reported: str | None = None
    known: str | None = None

    @property
    def is_plain(self) -> bool:
        """Whether any live token will do."""
        return self.reported is None and self.known is None


@dataclass(slots=True)
class Call:
    """A call of the function that is under way. `failed` is the version that it reports, if any."""

    failed: str | None
    patient: bool
    since: Now
    done: threading.Event = field(default_factory=threading.Event)
    outcome: Token | TokenClientError | None = None

    def run(self, perform: Callable[["Call"], None], *, is_ours: bool, seconds: float | None) -> bool:
        """Perform the call if it is ours, and wait for its end, at most so many seconds. Return whether it ended.

        A thread in the background performs the call of a caller who may give up before its end.
        """
        if is_ours and (seconds is None or not self._run_in_background(perform)):
            perform(self)
        return self.done.wait(seconds)

    def _run_in_background(self, perform: Callable[["Call"], None]) -> bool:
        run = contextvars.copy_context().run  # tracing libraries keep the current span there
        thread = threading.Thread(target=run, args=(perform, self), name="token_client", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no more threads
            return False
        return True


def timed_out(timeout: float | None) -> InvokeTimedOutException:
    """Return the error for a caller who has waited for the end of a call for as long as the caller wants to."""
    return InvokeTimedOutException(
        f"The refresh function did not answer within the caller's timeout of {timeout or 0:g} seconds. The client goes "
        "on waiting for the answer: try again, or allow more time."
    )

"""The clock of one message: a worker has several, and none may use up the time of the others. Pure."""

from datetime import datetime
from typing import Final

from refresh_token.core.ports import Clock

MAX_TIME: Final = 20.0
"""Seconds that one message gets at most. They allow for one attempt at the provider (`issuers.retries`): the next one
is made when the connection is due again."""


class MessageClock:
    """The invocation's clock, with at most `MAX_TIME` seconds left from now."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept = max(clock.remaining() - MAX_TIME, 0.0)

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._clock.sleep(seconds)

    def remaining(self) -> float:
        """Return the seconds that the message has left."""
        return self._clock.remaining() - self._kept

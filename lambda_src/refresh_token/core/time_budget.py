"""How an invocation divides its time for a refresh: reserves, minimums and pauses, in seconds. Pure."""

from typing import Final

WRITE_RESERVE: Final = 5.0
"""Seconds of the invocation that are reserved for storing the issuer's answer."""

CLOSE_RESERVE: Final = 1.0
"""Seconds of WRITE_RESERVE that are reserved for closing the claim and answering."""

MIN_WRITE_TIME: Final = 3.0
"""The write is repeated only if at least this many seconds are left for it."""

MIN_CALL_TIME: Final = 3.0
"""The issuer is called only if at least this many seconds are left for the call."""

INITIAL_PAUSE: Final = 0.2
MAX_PAUSE: Final = 2.0
PAUSE_GROWTH: Final = 1.6

TOO_LITTLE_TIME: Final = (
    "Too little time is left in this invocation to start a refresh. "
    "Try again; if this persists, raise the function's timeout."
)


def next_pause(pause: float) -> float:
    """Return the pause, in seconds, that follows ``pause``."""
    return min(pause * PAUSE_GROWTH, MAX_PAUSE)

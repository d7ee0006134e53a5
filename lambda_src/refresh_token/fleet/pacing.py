"""How many connections a tick sends, when each message arrives, and how long its lease lasts. Pure."""

from typing import Final

PERIOD: Final = 60
"""Seconds between two ticks of the dispatcher."""

LEASE: Final = 300
"""Seconds after a message arrives until the connection counts as due again. Longer than a worker needs for it, also if
the message waits a while for a free worker."""


def budget_of(rate: int, *, queued: int) -> int:
    """Return how many connections a tick may send at ``rate`` a second, if ``queued`` messages still wait."""
    return max(0, rate * PERIOD - queued)


def delay_of(place: int, rate: int, *, queued: int) -> int:
    """Return the seconds after which message number ``place`` (from 0) of a tick arrives, behind those that wait."""
    return min((queued + place) // rate, PERIOD - 1)


def share_of(queued: int, providers: int) -> int:
    """Return how many of the waiting messages count against each provider: the queue does not say whose they are."""
    return -(-queued // max(providers, 1))


def lease_end(now: int, delay: int) -> int:
    """Return when a lease ends, in epoch seconds."""
    return now + delay + LEASE

"""How many connections a tick sends, when each message arrives, and how long its lease lasts. Pure."""

from collections.abc import Mapping
from typing import Final, NamedTuple

PERIOD: Final = 60
"""Seconds between two ticks of the dispatcher."""

TICK_TIMEOUT: Final = 70
"""Seconds that a tick may take, whatever `timeout_seconds` is. The dispatcher leases nothing in the last 15, so a tick
ends before the next one begins: the brake compares what one tick sent with what failed since."""

LEASE: Final = 300
"""Seconds after a message arrives until the connection counts as due again. Longer than a worker needs for it, also if
the message waits a while for a free worker."""


def budget_of(rate: int, *, queued: int) -> int:
    """Return how many connections a tick may send at ``rate`` a second, if ``queued`` messages still wait."""
    return max(0, rate * PERIOD - queued)


class Pace(NamedTuple):
    """How the messages of a tick arrive: ``rate`` a second from ``start`` on, behind the ``queued`` ones that wait."""

    rate: int
    start: int
    """In epoch seconds."""

    queued: int = 0

    def delay(self, place: int, *, now: int) -> int:
        """Return the seconds after which message number ``place`` (from 0) arrives if it is sent now."""
        return max(0, min((self.queued + place) // self.rate, PERIOD - 1) - (now - self.start))


def shares_of(queued: int, sent: Mapping[str, int]) -> dict[str, int]:
    """Return how many of the waiting messages count against each provider.

    The queue does not say whose they are, so they are shared in proportion to what each provider was ``sent``.
    """
    total = sum(sent.values())
    return {name: -(-queued * (each if total else 1) // (total or len(sent))) for name, each in sent.items()}


def lease_end(now: int, delay: int) -> int:
    """Return when a lease ends, in epoch seconds."""
    return now + delay + LEASE

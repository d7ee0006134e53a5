"""The provider's rate limit on refreshes."""

import threading
import time
from collections.abc import Callable
from typing import Final

from local.standin.faults import Fault

REFRESHES: Final = ("RefreshToken", "FigmaRefresh", "OAuth2Token")

RETRY_AFTER: Final = 1
"""Seconds. The limit speaks of a second, so the next one has room again."""


class RateLimit:
    """Allows `per_second` refreshes a second, a burst of as many, and answers 429 to the rest. 0: no limit."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.set(0)

    def set(self, per_second: float) -> None:
        """Change the limit. Raises ValueError if it is below 0."""
        if per_second < 0:
            raise ValueError("rate_limit must be above 0, or 0 for no limit")
        with self._lock:
            self.per_second, self._room, self._at = per_second, max(1.0, per_second), self._clock()

    def take(self, operation: str) -> Fault | None:
        """Count one call of `operation`. Return the answer to it if it is one too many."""
        with self._lock:
            if not self.per_second or operation not in REFRESHES:
                return None
            now = self._clock()
            burst = max(1.0, self.per_second)
            self._room = min(burst, self._room + (now - self._at) * self.per_second)
            self._at = now
            if self._room >= 1:
                self._room -= 1
                return None
        return Fault(
            operation=operation,
            status=429,
            code="ThrottlingException",
            message="Rate exceeded",
            headers={"Retry-After": str(RETRY_AFTER)},
        )

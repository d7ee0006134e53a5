"""A point in time by which work must end."""

from dataclasses import dataclass
from time import monotonic
from typing import Self


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock, so that setting the system clock does not move it."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Self:
        """Return the deadline `seconds` from now."""
        return cls(monotonic() + seconds)

    def left(self) -> float:
        """Return the seconds until the deadline, negative after it."""
        return self.at - monotonic()

    def allows(self, seconds: float) -> bool:
        """Tell whether something that takes `seconds` ends in time."""
        return self.left() >= seconds

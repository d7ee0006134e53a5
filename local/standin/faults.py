"""Faults on demand: how an operation fails, and how many times."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

MALFORMED = '{"accessToken": "figd_cut-'
"""A truncated JSON body."""

HTML = "<!doctype html><title>Sorry</title><h1>We'll be right back</h1>"
"""What a proxy answers while the service behind it is down."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One way to fail.

    Without `status` and `body` the operation runs, and `answer` and `omit` change its own answer.
    """

    operation: str
    user: str | None = None
    """Whose calls it affects; None: everybody's."""
    share: float = 1
    """Which share of these calls it affects, evenly: with 0.25, each fourth."""
    times: int | None = 1
    """Number of calls that it affects; None: every call until it is cleared."""
    after: bool = False
    """The provider acts first, so its state changes although the caller never learns it."""
    delay: float = 0
    """Seconds before the answer."""
    drop: bool = False
    """Close the connection instead of answering."""
    status: int | None = None
    code: str | None = None
    """AWS error type, such as `ThrottlingException`."""
    message: str = "A requested fault"
    body: str | None = None
    """Raw text instead of JSON; may be empty."""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    answer: Mapping[str, Any] = field(default_factory=dict)
    """Members to add to a successful answer, of any JSON type."""
    omit: tuple[str, ...] = ()
    """Members to remove from a successful answer."""

    def __post_init__(self) -> None:
        if self.times is not None and self.times < 1:
            raise ValueError("times must be at least 1, or None for every call")
        if not 0 < self.share <= 1:
            raise ValueError("share must be above 0 and at most 1")

    @property
    def replaces_answer(self) -> bool:
        """Whether the fault replaces the operation's own answer."""
        return self.status is not None or self.body is not None


@dataclass
class _Pending:
    fault: Fault
    met: int = 0
    """The number of calls that it could have affected."""

    def hits(self) -> bool:
        self.met += 1
        return int(self.met * self.fault.share) > int((self.met - 1) * self.fault.share)


class FaultQueue:
    """The faults still to come, in the order in which they were added. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[_Pending] = []

    def add(self, fault: Fault) -> None:
        """Add a fault to the end of the queue."""
        with self._lock:
            self._faults.append(_Pending(fault))

    def take(self, operation: str, user: str | None = None) -> Fault | None:
        """Return the fault for this call of `operation` for `user`, and count it down by one."""
        with self._lock:
            for pending in self._faults:
                fault = pending.fault
                if fault.operation == operation and fault.user in {None, user} and pending.hits():
                    if fault.times == 1:
                        self._faults.remove(pending)
                    elif fault.times is not None:
                        pending.fault = replace(fault, times=fault.times - 1)
                    return fault
        return None

    def pending(self) -> list[Fault]:
        """Return the faults that are left."""
        with self._lock:
            return [pending.fault for pending in self._faults]

    def clear(self) -> None:
        """Forget every fault."""
        with self._lock:
            self._faults.clear()

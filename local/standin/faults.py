"""Faults on demand: how one operation shall go wrong, and how many times."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

MALFORMED = '{"accessToken": "figd_cut-'
"""A JSON body whose end is missing."""

HTML = "<!doctype html><title>Sorry</title><h1>We'll be right back</h1>"
"""What a proxy in front of a service answers while the service is away."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One way to go wrong.

    Without `status` and `body` the operation is performed and its own answer goes out, changed by `answer` and `omit`.
    """

    operation: str
    times: int | None = 1
    """Calls that it strikes; None: every call until it is cleared."""
    after: bool = False
    """The provider acts first, so its state has changed although the caller never learns it."""
    delay: float = 0
    """Seconds before the answer."""
    drop: bool = False
    """Close the connection instead of answering."""
    status: int | None = None
    code: str | None = None
    """AWS error type, such as `ThrottlingException`."""
    message: str = "A fault that was asked for"
    body: str | None = None
    """Raw text sent instead of JSON; may be empty."""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    answer: Mapping[str, Any] = field(default_factory=dict)
    """Members put into a successful answer, whatever their JSON kind."""
    omit: tuple[str, ...] = ()
    """Members left out of a successful answer."""

    def __post_init__(self) -> None:
        if self.times is not None and self.times < 1:
            raise ValueError("times must be at least 1, or None for every call")

    @property
    def replaces_answer(self) -> bool:
        """Whether something else goes out than the operation's own answer."""
        return self.status is not None or self.body is not None


class FaultQueue:
    """The faults still to come, per operation in the order they were asked for. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Queue a fault behind those already asked for."""
        with self._lock:
            self._faults.append(fault)

    def take(self, operation: str) -> Fault | None:
        """Return the fault that this call of `operation` meets, and use it up by one."""
        with self._lock:
            for index, fault in enumerate(self._faults):
                if fault.operation == operation:
                    if fault.times is not None:
                        left = fault.times - 1
                        self._faults[index : index + 1] = [replace(fault, times=left)] if left else []
                    return fault
        return None

    def pending(self) -> list[Fault]:
        """Return the faults that have not been used up."""
        with self._lock:
            return list(self._faults)

    def clear(self) -> None:
        """Forget every fault."""
        with self._lock:
            self._faults.clear()

"""The seconds that a request of requests or urllib3 may wait for an answer."""

from typing import Any


def seconds_of(timeout: Any) -> float | None:  # noqa: ANN401 - a number, a pair, urllib3's Timeout, or None
    """Return the time that a timeout gives the server to answer, or None for no limit."""
    if isinstance(timeout, tuple):
        timeout = timeout[-1]
    if hasattr(timeout, "start_connect"):
        timeout = timeout.clone()
        timeout.start_connect()
        timeout = timeout.read_timeout
    return float(timeout) if isinstance(timeout, int | float) else None

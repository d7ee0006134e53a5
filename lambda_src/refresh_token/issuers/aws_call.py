"""Calls to AWS on the way to the issuer: the app's credentials, a signature."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from refresh_token.adapters.aws_clients import THROTTLING_CODES, Fault, attempt

if TYPE_CHECKING:
    from refresh_token.adapters.deadline import Deadline

MAX_ATTEMPTS: Final = 3

_TRANSIENT: Final = THROTTLING_CODES | {
    *("InternalFailure", "InternalServiceError", "ServiceUnavailable"),
    *("DependencyTimeoutException", "KMSInternalException", "KeyUnavailableException"),
}
"""What passes at Secrets Manager and KMS (their API references)."""

_SERVER_ERROR: Final = 500

T = TypeVar("T")


def repeated(call: Callable[[], T], deadline: "Deadline", *, max_call_time: float) -> T | Fault:
    """Make a call up to MAX_ATTEMPTS times, while its fault is transient and there is time for another.

    The client must not retry by itself, and its calls end after ``max_call_time`` seconds. The first call is made even
    if the deadline has passed.
    """
    for _ in range(MAX_ATTEMPTS):
        value = attempt(call)
        if not isinstance(value, Fault) or not is_transient(value) or not deadline.allows(max_call_time):
            break
    return value


def is_transient(fault: Fault) -> bool:
    """Tell whether the same call may succeed a moment later."""
    return fault.kind == "connection" or fault.code in _TRANSIENT or fault.status >= _SERVER_ERROR

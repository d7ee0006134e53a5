"""What a redirect says (RFC 6749, 4.1.2). Pure."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final


class Kind(Enum):
    """What became of the question."""

    ALLOWED = auto()
    DENIED = auto()
    """The user said no."""
    REFUSED = auto()
    """The consent page itself could not go on; `reason` says why, where it is a reason that the RFC knows."""
    INCOMPLETE = auto()
    """Our state, but neither one code nor an error."""
    FORGED = auto()
    """Not an answer to our question: the state is missing, doubled or wrong."""


@dataclass(frozen=True, kw_only=True)
class Redirect:
    """A redirect, judged. Its repr does not show the code."""

    kind: Kind
    code: str = field(default="", repr=False)
    reason: str = ""


_REASONS: Final = frozenset(
    {
        "invalid_request",
        "unauthorized_client",
        "unsupported_response_type",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
    }
)
"""Error codes of RFC 6749, 4.1.2.1. Any other text comes from who knows where and is not repeated."""


def judge(parameters: Mapping[str, Sequence[str]], *, state: str) -> Redirect:
    """Tell what a redirect means to the one who sent `state`. A parameter that comes twice counts as missing (3.1)."""
    if not _same(_single(parameters, "state"), state):
        return Redirect(kind=Kind.FORGED)
    if "error" in parameters:
        error = _single(parameters, "error")
        if error == "access_denied":
            return Redirect(kind=Kind.DENIED)
        return Redirect(kind=Kind.REFUSED, reason=error if error in _REASONS else "")
    code = _single(parameters, "code")
    if not code:
        return Redirect(kind=Kind.INCOMPLETE)
    return Redirect(kind=Kind.ALLOWED, code=code)


def _single(parameters: Mapping[str, Sequence[str]], name: str) -> str:
    values = parameters.get(name, ())
    return values[0] if len(values) == 1 else ""


def _same(given: str, state: str) -> bool:
    """Compare in constant time; an empty state is no state."""
    return bool(state) and hmac.compare_digest(given.encode(errors="replace"), state.encode())

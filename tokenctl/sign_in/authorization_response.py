"""The authorization response: the parameters of the redirect back to tokenctl (RFC 6749, 4.1.2). Pure."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final


class Outcome(Enum):
    """How the user or the consent page answered."""

    ALLOWED = auto()
    DENIED = auto()
    """The user said no."""
    FAILED = auto()
    """The consent page could not continue; `reason` is its error code if the RFC defines it."""
    INCOMPLETE = auto()
    """The state is right, but there is neither a single code nor an error."""
    FORGED = auto()
    """The state is missing, duplicated or wrong, so this does not answer our request."""


@dataclass(frozen=True, kw_only=True)
class AuthorizationResponse:
    """A response to an authorization request. The repr does not show the code."""

    outcome: Outcome
    code: str = field(default="", repr=False)
    reason: str = ""
    redirect: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What else the redirect brought, without duplicates."""


_ERROR_CODES: Final = frozenset(
    {
        "invalid_request",
        "unauthorized_client",
        "unsupported_response_type",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
    }
)
"""The error codes of RFC 6749, 4.1.2.1. Other text may come from anyone, so it is not shown."""


def read_response(
    parameters: Mapping[str, Sequence[str]], *, state: str, state_name: str = "state", code_name: str = "code"
) -> AuthorizationResponse:
    """Interpret a redirect; `state` is that of the request. A duplicate parameter counts as missing (RFC 6749, 3.1)."""
    if not _same_state(_single(parameters, state_name), state):
        return AuthorizationResponse(outcome=Outcome.FORGED)
    if "error" in parameters:
        error = _single(parameters, "error")
        if error == "access_denied":
            return AuthorizationResponse(outcome=Outcome.DENIED)
        return AuthorizationResponse(outcome=Outcome.FAILED, reason=error if error in _ERROR_CODES else "")
    code = _single(parameters, code_name)
    if not code:
        return AuthorizationResponse(outcome=Outcome.INCOMPLETE)
    others = {name: values[0] for name, values in parameters.items() if len(values) == 1}
    redirect = {name: value for name, value in others.items() if name not in {code_name, state_name}}
    return AuthorizationResponse(outcome=Outcome.ALLOWED, code=code, redirect=redirect)


def _single(parameters: Mapping[str, Sequence[str]], name: str) -> str:
    values = parameters.get(name, ())
    return values[0] if len(values) == 1 else ""


def _same_state(received: str, state: str) -> bool:
    """Compare in constant time; an empty state never matches."""
    return bool(state) and hmac.compare_digest(received.encode(errors="replace"), state.encode())

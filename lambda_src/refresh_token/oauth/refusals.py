"""What a refusal means: who has to do something about it.

A failing issuer's status decides first, then the error code, then the issuer's words, then any other status. There are
rules for each kind of request. The function and `tokenctl` turn the meaning into their own errors.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from http import HTTPStatus
from typing import Final

from refresh_token.oauth.responses import TokenResponse


class Refusal(Enum):
    """Who has to do what after a refusal."""

    GRANT = auto()
    """The refresh token or the code is refused: a person signs in again."""

    APP = auto()
    """The app's credentials are refused: an operator stores the right ones."""

    SETTINGS = auto()
    """The issuer does not understand the request: an operator corrects the issuer's settings."""

    LATER = auto()
    """The issuer is throttling or failing: nobody does anything, and the same request may succeed later."""

    NONSENSE = auto()
    """No token endpoint answers like this: an operator checks the address."""


CODES: Final[Mapping[str, Refusal]] = {
    "invalid_grant": Refusal.GRANT,
    "invalid_client": Refusal.APP,
    "unauthorized_client": Refusal.APP,
    "invalid_request": Refusal.SETTINGS,
    "unsupported_grant_type": Refusal.SETTINGS,
    "invalid_scope": Refusal.SETTINGS,
}
"""The error codes of a token endpoint (RFC 6749, 5.2)."""

BORROWED_CODES: Final[Mapping[str, Refusal]] = {
    "server_error": Refusal.LATER,
    "temporarily_unavailable": Refusal.LATER,
    "slow_down": Refusal.LATER,
}
"""Codes of the other endpoints (RFC 6749, 4.1.2.1; RFC 8628, 3.5) that servers send here as well."""

_LATER_STATUSES: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)

_REFRESH_STATUSES: Final[Mapping[int, Refusal]] = {
    HTTPStatus.BAD_REQUEST: Refusal.GRANT,
    HTTPStatus.UNAUTHORIZED: Refusal.GRANT,
    HTTPStatus.FORBIDDEN: Refusal.GRANT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalRules:
    """How to read the refusals of one kind of request."""

    codes: Mapping[str, Refusal] = field(default_factory=dict)
    blames_app: Callable[[str], bool] = field(default=lambda _: False)
    """Whether the issuer's message says that the app is at fault. It counts only if no code decides."""

    statuses: Mapping[int, Refusal] = field(default_factory=lambda: _REFRESH_STATUSES)
    otherwise: Refusal = Refusal.NONSENSE


def is_failing(status: int) -> bool:
    """Tell whether a status says that the issuer is throttling or failing, whatever else it answers."""
    return status in _LATER_STATUSES or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def meaning(response: TokenResponse, rules: RefusalRules) -> Refusal:
    """Return what a refusal means."""
    status = response.status
    if is_failing(status):
        return Refusal.LATER
    if status < HTTPStatus.OK or HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return Refusal.NONSENSE
    if response.code in rules.codes:
        return rules.codes[response.code]
    if response.challenged:
        return Refusal.APP
    if status in rules.statuses:
        return Refusal.APP if rules.blames_app(response.message) else rules.statuses[status]
    return rules.otherwise


_GRANT_WORDS: Final = re.compile(r"token|grant", re.IGNORECASE)
_APP_WORDS: Final = re.compile(r"client|secret|credential|\bapp(lication)?\b", re.IGNORECASE)


def _figma_blames_app(message: str) -> bool:
    """Tell whether a message of Figma's is about the app's credentials.

    Figma documents no error codes. We assume that such a message mentions the client, its secret or its credentials,
    and neither a token nor a grant: "Parameter client_id is required" is known, "Invalid client credentials" likely.
    """
    return bool(_APP_WORDS.search(message)) and not _GRANT_WORDS.search(message)


SERVER_REFRESH: Final = RefusalRules(codes={**CODES, **BORROWED_CODES})
"""A refresh at an OAuth 2 server."""

FIGMA_REFRESH: Final = RefusalRules(
    codes={code: means for code, means in CODES.items() if means is not Refusal.SETTINGS}, blames_app=_figma_blames_app
)
"""A refresh at Figma, which has no settings. Figma's errors are ``{"error": true, "status", "message", "i18n"}``."""

CODE_EXCHANGE: Final = RefusalRules(
    codes=CODES, statuses={HTTPStatus.UNAUTHORIZED: Refusal.APP}, otherwise=Refusal.GRANT
)
"""The exchange of a code. A code is fresh and used at once, so 401 is about the app unless a code says otherwise."""

"""What a refusal means: who has to do something about it.

A failing issuer's status decides first, then the error code (CODES), then the issuer's words. Without these, a refusal
in the issuer's own form concerns the grant; any other may come from a firewall or a rate limit. There are rules for
each kind of request. The function and `tokenctl` turn the meaning into their own errors.
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
    """The issuer is throttling or failing: nobody needs to act; the same request may succeed later."""

    UNEXPLAINED = auto()
    """Something refuses without a reason: the same request may succeed later. If it never does, a person signs in."""

    NONSENSE = auto()
    """No token endpoint answers like this: an operator checks the address."""


CODES: Final[Mapping[str, Refusal]] = {
    # RFC 6749, 5.2
    "invalid_grant": Refusal.GRANT,
    "invalid_client": Refusal.APP,
    "unauthorized_client": Refusal.APP,
    "invalid_request": Refusal.SETTINGS,
    "unsupported_grant_type": Refusal.SETTINGS,
    "invalid_scope": Refusal.SETTINGS,
    # RFC 6749, 4.1.2.1, and RFC 8628, 3.5: codes of other endpoints that servers send here as well
    "server_error": Refusal.LATER,
    "temporarily_unavailable": Refusal.LATER,
    "slow_down": Refusal.LATER,
    "authorization_pending": Refusal.LATER,
    "access_denied": Refusal.UNEXPLAINED,  # also for a refresh that comes too early
    "expired_token": Refusal.GRANT,
    # RFC 6750, 3.1, and RFC 8707, 2
    "invalid_token": Refusal.GRANT,
    "insufficient_scope": Refusal.SETTINGS,
    "invalid_target": Refusal.SETTINGS,
    # OpenID Connect Core, 3.1.2.6
    "interaction_required": Refusal.GRANT,
    "login_required": Refusal.GRANT,
    "consent_required": Refusal.GRANT,
    # GitHub, "Troubleshooting OAuth app access token request errors"
    "bad_refresh_token": Refusal.GRANT,
    "bad_verification_code": Refusal.GRANT,
    "incorrect_client_credentials": Refusal.APP,
    "redirect_uri_mismatch": Refusal.SETTINGS,
    # Slack, "oauth.v2.access"
    "invalid_refresh_token": Refusal.GRANT,
    "invalid_code": Refusal.GRANT,
    "code_already_used": Refusal.GRANT,
    "token_expired": Refusal.GRANT,
    "token_revoked": Refusal.GRANT,
    "account_inactive": Refusal.GRANT,
    "invalid_auth": Refusal.GRANT,
    "invalid_client_id": Refusal.APP,
    "bad_client_secret": Refusal.APP,
    "bad_redirect_uri": Refusal.SETTINGS,
    "invalid_grant_type": Refusal.SETTINGS,
    "ratelimited": Refusal.LATER,
    "internal_error": Refusal.LATER,
    "fatal_error": Refusal.LATER,
    "request_timeout": Refusal.LATER,
    "service_unavailable": Refusal.LATER,
    # Google, "OAuth 2.0 for Web Server Applications"
    "deleted_client": Refusal.APP,
    "disabled_client": Refusal.APP,
}
"""What an error code means, whatever the status. An issuer's rules may say otherwise."""

_LATER_WORDS: Final = re.compile(
    r"(rate|request|usage)[ _-]?limit|limit[ _-]exceeded|too[ _-]?many|throttl|temporar|try[ _-]again|retry"
    r"|being[ _-]processed|in[ _-]progress|concurrent",
    re.IGNORECASE,
)
"""Words for a temporary refusal. They count with an unknown code, and with one that only says "no"."""

_DEAD_WORDS: Final = re.compile(
    r"revoked|(invalid|expired|unknown)[ _-](refresh[ _-])?(token|grant)"
    r"|token[ _-]((has|is|was)[ _-])?(invalid|expired)",
    re.IGNORECASE,
)
"""Words for a grant that has ended, after which "try again" means "sign in again"."""

_REFRESH_TOKEN: Final = re.compile(r"refresh[ _-]?token", re.IGNORECASE)

_LATER_STATUSES: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)

_REFUSING: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


def _has_code(response: TokenResponse) -> bool:
    return bool(response.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalRules:
    """How to read the refusals of one kind of request."""

    codes: Mapping[str, Refusal] = field(default_factory=dict)
    """Codes that mean something else than CODES says, or that CODES does not have."""

    is_own: Callable[[TokenResponse], bool] = _has_code
    """Whether an answer without a known code has the issuer's own form of an error. A firewall's answer does not."""

    blames_app: Callable[[str], bool] = field(default=lambda _: False)
    """Whether the issuer's message says that the app is at fault. It counts only if no code decides."""

    unauthorized: Refusal = Refusal.GRANT
    """What the issuer's own form of an error with status 401 means if no code decides."""

    app_hint: str = ""
    """What to try if the app's credentials are right."""


def is_failing(status: int) -> bool:
    """Tell whether a status says that the issuer is throttling or failing, whatever else it answers."""
    return status in _LATER_STATUSES or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def is_temporary(words: str) -> bool:
    """Tell whether an issuer's words say that the same request may succeed later."""
    return bool(_LATER_WORDS.search(words)) and not _DEAD_WORDS.search(words)


def meaning(response: TokenResponse, rules: RefusalRules) -> Refusal:
    """Return what a refusal means."""
    status = response.status
    if status < HTTPStatus.OK or HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return Refusal.NONSENSE
    known = {**CODES, **rules.codes}
    by_code = next((known[code] for code in response.codes if code in known), None)
    if is_failing(status):
        # A failing issuer may not find a grant that exists. But some always answer like this once a grant has ended.
        return Refusal.UNEXPLAINED if by_code is Refusal.GRANT else Refusal.LATER
    if by_code not in (None, Refusal.SETTINGS):
        return by_code
    words = " ".join((*response.codes, response.message))
    if is_temporary(words):
        return Refusal.LATER
    if _DEAD_WORDS.search(words) and _REFRESH_TOKEN.search(words) and _refuses(response):
        return Refusal.GRANT
    return by_code or _without_code(response, rules)


def _refuses(response: TokenResponse) -> bool:
    return response.succeeded or response.status in _REFUSING


def _without_code(response: TokenResponse, rules: RefusalRules) -> Refusal:
    if response.challenged:
        return Refusal.APP
    if not _refuses(response):
        return Refusal.NONSENSE
    if rules.blames_app(response.message):
        return Refusal.APP
    if not rules.is_own(response):
        return Refusal.UNEXPLAINED
    return rules.unauthorized if response.status == HTTPStatus.UNAUTHORIZED else Refusal.GRANT


_GRANT_WORDS: Final = re.compile(r"token|grant", re.IGNORECASE)
_APP_WORDS: Final = re.compile(r"client|secret|credential|\bapp(lication)?\b", re.IGNORECASE)


def _figma_blames_app(message: str) -> bool:
    """Tell whether a message of Figma's is about the app's credentials.

    Figma documents no error codes. We assume that such a message mentions the client, its secret or its credentials,
    and neither a token nor a grant: "Parameter client_id is required" is known, "Invalid client credentials" likely.
    """
    return bool(_APP_WORDS.search(message)) and not _GRANT_WORDS.search(message)


def _has_figmas_form(response: TokenResponse) -> bool:
    """Tell whether an answer has ``error`` and ``message``, or ``err``, which Figma's older endpoints send."""
    document = response.document
    return _has_code(response) or "err" in document or (bool(document.get("error")) and "message" in document)


SERVER_REFRESH: Final = RefusalRules(
    app_hint="If they are right, try the other value of oauth2_client_auth: some servers take `post` only."
)
"""A refresh at an OAuth 2 server."""

FIGMA_REFRESH: Final = RefusalRules(
    codes={code: Refusal.GRANT for code, means in CODES.items() if means is Refusal.SETTINGS},
    is_own=_has_figmas_form,
    blames_app=_figma_blames_app,
)
"""A refresh at Figma, which has no settings. Figma's errors are ``{"error": true, "status", "message", "i18n"}``."""

CODE_EXCHANGE: Final = RefusalRules(
    codes={"access_denied": Refusal.GRANT}, is_own=_has_figmas_form, unauthorized=Refusal.APP
)
"""The exchange of a code. A code is fresh and used at once, so 401 is about the app unless a code says otherwise."""

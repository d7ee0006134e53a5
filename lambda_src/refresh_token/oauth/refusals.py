"""What a refusal means: who has to do something about it.

A failing issuer's status decides first, then the error code (CODES), then the issuer's words. Without these, a refusal
in the issuer's own form concerns the grant; any other may come from a firewall or a rate limit. There are rules for
each kind of request. The function and `tokenctl` turn the meaning into their own errors.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from refresh_token.core.text import is_access_token
from refresh_token.oauth.refusal_codes import CODES, Refusal
from refresh_token.oauth.responses import TokenResponse

_LATER_WORDS: Final = re.compile(
    r"(rate|request|usage)[ _-]?limit|limit[ _-]exceeded|too[ _-]?many|throttl|temporar|try[ _-]again|retry|quota"
    r"|being[ _-]processed|in[ _-]progress|concurrent|overload|maintenance|service[ _-]unavailable|timed?[ _-]?out"
    r"|too[ _-](early|soon)|not[ _-](yet[ _-])?expired",
    re.IGNORECASE,
)
"""Words for a temporary refusal. They count with an unknown code, and with one that only says "no"."""

_BUSY_WORDS: Final = re.compile(r"being[ _-]processed|rate[ _-]limit|too[ _-]many[ _-]requests", re.IGNORECASE)
"""Words that count even with the code of a dead grant: Salesforce refuses a second refresh at the same time with
`invalid_grant`."""

_MAX_WORDS: Final = 4096
"""How much of an issuer's words counts, in characters. A longer text is no message."""

_SUBJECT: Final = r"(token|grant)(?![\W_]*(type|endpoint|request|url))"
_DEAD_WORDS: Final = re.compile(
    rf"revoked|already[\W_]+(been[\W_]+)?used"
    rf"|(invalid|expired|unknown|old|bad)([\W_]+(or|expired|invalid|oauth|refresh)){{0,3}}[\W_]*{_SUBJECT}"
    rf"|{_SUBJECT}([\W_]+(?!not?[\W_])[^\W_]+){{0,4}}[\W_]+(invalid|expired|unknown|(been|was)[\W_]+used)"
    rf"|{_SUBJECT}[\W_]+((is|was)[\W_]+)?(not[\W_]+(found|active|valid)|no[\W_]+longer[\W_]+valid)"
    rf"|{_SUBJECT}[\W_]+does(n't|[\W_]+not)[\W_]+exist",
    re.IGNORECASE,
)
"""Words for a grant that has ended, after which "try again" means "sign in again"."""

_REFRESH_TOKEN: Final = re.compile(r"refresh[ _-]?token", re.IGNORECASE)
_ANY_TOKEN: Final = re.compile(r"(?<!access[ _-])(?<!\bid[ _-])token|grant", re.IGNORECASE)

_DECISIVE: Final = (Refusal.GRANT, Refusal.APP, Refusal.LATER)
_VAGUE_CODES: Final = ("unauthorized_client",)
"""Codes that decide only if the words do not: Atlassian and Exact send this one for a spent refresh token."""

_LATER_STATUSES: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)

_REFUSING: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)

_PHRASES: Final = {status.value: status.phrase.lower() for status in HTTPStatus}


def _has_code(response: TokenResponse) -> bool:
    """Tell whether an answer has an error code. Gateways send the name of the status as their `error`."""
    return response.code.lower().replace("_", " ") not in ("", _PHRASES.get(response.status))


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalRules:
    """How to read the refusals of one kind of request."""

    codes: Mapping[str, Refusal] = field(default_factory=dict)
    """Codes that mean something else than CODES says, or that CODES does not have."""

    phrases: Mapping[str, Refusal] = field(default_factory=dict)
    """Phrases of the issuer, in small letters. They decide before any code, unless the issuer is failing."""

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
    said = words[:_MAX_WORDS]
    return bool(_LATER_WORDS.search(said)) and not _DEAD_WORDS.search(said)


def meaning(response: TokenResponse, rules: RefusalRules) -> Refusal:
    """Return what a refusal means."""
    status = response.status
    if status < HTTPStatus.OK or HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return Refusal.NONSENSE
    known = {**CODES, **rules.codes}
    code = next((code for code in response.codes if code in known), "")
    by_code = known.get(code)
    if is_failing(status):
        # A failing issuer may not find a grant that exists. But some always answer like this once a grant has ended.
        return Refusal.UNEXPLAINED if by_code is Refusal.GRANT else Refusal.LATER
    words = " ".join((*response.codes, response.message))[:_MAX_WORDS]
    if said := [means for phrase, means in rules.phrases.items() if _says(words, phrase)]:
        return said[0]
    if by_code is Refusal.GRANT and _BUSY_WORDS.search(words):
        return Refusal.UNEXPLAINED
    if by_code in _DECISIVE and code not in _VAGUE_CODES:
        return by_code
    return _by_words(words, response, documented=bool(by_code)) or by_code or _without_code(response, rules)


def _says(words: str, phrase: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", words.lower()) is not None


def _by_words(words: str, response: TokenResponse, *, documented: bool) -> Refusal | None:
    """Return what the words say, None if nothing.

    With a `documented` code, a message about a token is about the request's only token. Others may be a firewall's.
    """
    if is_temporary(words):
        return Refusal.LATER
    token = _ANY_TOKEN if documented else _REFRESH_TOKEN
    is_dead = _DEAD_WORDS.search(words) and token.search(words) and _refuses(response)
    return Refusal.GRANT if is_dead else None


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


def is_refusal(response: TokenResponse, rules: RefusalRules) -> bool:
    """Tell whether an answer is an error, by its form or by the issuer's words. None with a usable token is."""
    if response.refused or is_access_token(response.document.get("access_token")):
        return response.refused
    words = " ".join((*response.codes, response.message))[:_MAX_WORDS]
    return any(code in rules.codes for code in response.codes) or any(_says(words, phrase) for phrase in rules.phrases)

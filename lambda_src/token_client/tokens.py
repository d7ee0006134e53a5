"""The token that consumers get, and what makes it usable."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from token_client.errors import UnexpectedAnswerException

MAX_LENGTH: Final = 16_384
"""Characters of an access token. This rule and the next are the function's own (`refresh_token.core.text`)."""

NEW: Final = 60.0
"""Seconds for which a token counts as new: too young for a rejection without a reason to be about the token."""

_USABLE: Final = re.compile(r"[!-~]+")
"""What a header can carry after ``Bearer``: visible ASCII characters (RFC 6750, 2.1, allows fewer)."""

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE: Final = re.compile(r"[ -~]*")


def fault_of(access_token: str) -> str:
    """Return what makes an access token unusable, such as "has a line break"; empty if it is usable."""
    if not access_token:
        return "is empty"
    if len(access_token) > MAX_LENGTH:
        return f"has more than {MAX_LENGTH} characters"
    if _USABLE.fullmatch(access_token):
        return ""
    if "\n" in access_token or "\r" in access_token:
        return "has a line break"
    if any(character.isspace() for character in access_token):
        return "has a space"
    return "has a control character" if access_token.isascii() else "has a character outside ASCII"


@dataclass(frozen=True, slots=True)
class Api:
    """How to call the provider's API, as far as the function says it. The rest is the usual way."""

    base: str | None = None
    """The API's address."""
    header: str = "Authorization"
    """The header that carries the token."""
    scheme: str = "Bearer"
    """The word before the token in that header; empty if there is none."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    """Further headers that the API wants, such as the version of the API."""


USUAL: Final = Api()


@dataclass(frozen=True, slots=True)
class Token:
    """An access token. `repr` and `str` hide it; read ``token.access_token`` or ``token.authorization``."""

    access_token: str = field(repr=False)
    version_id: str
    """Identifies this token. It is not a secret and may be logged."""
    state: str
    """``fresh``; ``due``: a refresh comes soon; ``degraded``: a refresh is overdue but failed, the token still lives.

    The client keeps a name from a later version of the function as it is, and treats it like ``due``.
    """
    expires_at: datetime | None
    """UTC, by the function's clock. The client itself counts from the moment the token arrived."""
    stale: bool = False
    """Whether the client asked the function about this token without an answer. As far as it knows the token lives."""
    refreshed_at: datetime | None = None
    """When the token was issued, UTC, by the function's clock. None if the function does not say."""
    provider: str = "figma"
    """Whose API the token is for: the name of the stack's profile."""
    scope: str | None = None
    """The scopes that were granted, with spaces between them. None if nobody has noted them."""
    values: Mapping[str, str | int | float] = field(default_factory=dict, repr=False, hash=False)
    """What the provider said that you may need, such as ``instance_url``. `docs/consumers.md` says more."""
    api: Api = USUAL
    connection: str | None = None
    """The connection of a fleet whose token this is. None if the stack keeps a single one, which has no name."""

    def is_new(self, wall: float) -> bool:
        """Whether the token is less than `NEW` seconds old. `wall` is the time in seconds since 1970."""
        return self.refreshed_at is not None and wall - self.refreshed_at.timestamp() < NEW

    @property
    def authorization(self) -> str:
        """Return the value of the header that carries the token: ``Authorization``, unless `api` says otherwise.

        Raises:
            UnexpectedAnswerException: no header can carry the token. HTTP libraries would show it in their errors.

        """
        if fault := fault_of(self.access_token):
            raise UnexpectedAnswerException(
                f"The access token of version {self.version_id} {fault}, so no HTTP header can carry it. Store the "
                "token pair again, with tokenctl authorize or tokenctl seed."
            )
        return f"{self.api.scheme} {self.access_token}".lstrip()

    @property
    def headers(self) -> dict[str, str]:
        """Return every header that a request to the API needs: the one with the token, and those of `api`.

        Raises:
            UnexpectedAnswerException: no request can carry them.

        """
        others = {name: value for name, value in self.api.headers.items() if name.lower() != self.api.header.lower()}
        headers = {**others, self.api.header: self.authorization}
        if all(_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value) for name, value in headers.items()):
            return headers
        raise UnexpectedAnswerException(
            f"The answer of version {self.version_id} names a header that no HTTP request can carry. Refresh the token "
            "with tokenctl refresh, which writes what the provider's profile says."
        )

    def __str__(self) -> str:
        return repr(self)

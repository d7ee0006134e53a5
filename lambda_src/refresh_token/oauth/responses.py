"""A token endpoint's answer: its status and its JSON object (RFC 6749, 5)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from refresh_token.text import is_access_token

MAX_BYTES: Final = 1024 * 1024
"""Longest body that is read, compressed or not. A token answer is a few hundred bytes long. A longer one is read
all the same, because it may hold a new refresh token. Whether that fits into the store is for the store to say."""


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """What a token endpoint answered. `document` is empty if the body is not a JSON object."""

    status: int
    document: Mapping[str, object] = field(repr=False)
    challenge: str = field(default="", repr=False)
    """The header ``WWW-Authenticate``."""

    @property
    def code(self) -> str:
        """The error code (RFC 6749, 5.2), or "". It may echo the request, so show it only if you know it."""
        code = self.document.get("error")
        return code if isinstance(code, str) else ""

    @property
    def message(self) -> str:
        """The error's message, in Figma's member or the standard's, or "". It may echo the request: never show it."""
        message = self.document.get("message", self.document.get("error_description"))
        return message if isinstance(message, str) else ""

    @property
    def succeeded(self) -> bool:
        """Whether the status is one of success."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def refused(self) -> bool:
        """Whether the issuer gave no token and says so. Some issuers refuse with 200."""
        issued = self.succeeded and is_access_token(self.document.get("access_token"))
        return not issued and (not self.succeeded or "error" in self.document)

    @property
    def challenged(self) -> bool:
        """Whether the issuer demands other client credentials, as RFC 6749, 5.2, says for HTTP Basic."""
        return self.status == HTTPStatus.UNAUTHORIZED and self.challenge.lower().startswith("basic")

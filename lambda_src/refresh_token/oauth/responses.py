"""A token endpoint's answer: its status and its JSON object (RFC 6749, 5)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

MAX_BYTES: Final = 64 * 1024
"""Longest body that is read. A token answer is a few hundred bytes long."""


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
    def refused(self) -> bool:
        """Whether the issuer gave no token. Some issuers refuse with 200."""
        succeeded = HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES
        return not succeeded or ("error" in self.document and "access_token" not in self.document)

    @property
    def challenged(self) -> bool:
        """Whether the issuer demands other client credentials, as RFC 6749, 5.2, says for HTTP Basic."""
        return self.status == HTTPStatus.UNAUTHORIZED and self.challenge.lower().startswith("basic")

"""A token endpoint's answer: its status and its members (RFC 6749, 5)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from refresh_token.core.text import is_access_token
from refresh_token.oauth.challenges import challenges

MAX_BYTES: Final = 1024 * 1024
"""Longest body that is read, compressed or not. A token answer is a few hundred bytes long. A longer one is read as
well, because it may hold a new refresh token. The store decides whether that token fits."""

_NESTED: Final = ("code", "type", "status")
_ELSEWHERE: Final = ("error_code", "errorCode", "code", "err")
_MESSAGES: Final = ("message", "error_description", "errorMessage", "err", "msg")


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """What a token endpoint answered. `document` is empty if the body holds no members."""

    status: int
    document: Mapping[str, object] = field(repr=False)
    challenge: str = field(default="", repr=False)
    """The headers ``WWW-Authenticate``, with commas between them."""

    @property
    def code(self) -> str:
        """The error code (RFC 6749, 5.2), or "". It may echo the request, so show it only if you know it."""
        code = self.document.get("error")
        return code.strip() if isinstance(code, str) else ""

    @property
    def codes(self) -> tuple[str, ...]:
        """The error code, and what may be one in other members and in challenges, in lower case."""
        error = self.document.get("error")
        nested = error if isinstance(error, Mapping) else {}
        found = [self.code, *(nested.get(name) for name in _NESTED), *(self.document.get(name) for name in _ELSEWHERE)]
        found += [parameters.get("error") for _, parameters in challenges(self.challenge)]
        return tuple(text.lower() for value in found if isinstance(value, str) and (text := value.strip()))

    @property
    def message(self) -> str:
        """What the error says in words, or "". It may echo the request: never show it."""
        error = self.document.get("error")
        nested = error.get("message") if isinstance(error, Mapping) else None
        members = (nested, *(self.document.get(name) for name in _MESSAGES))
        return " ".join(text for text in members if isinstance(text, str))

    @property
    def succeeded(self) -> bool:
        """Whether the status is one of success."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def refused(self) -> bool:
        """Whether this answer is an error. Some issuers refuse with 200."""
        if not self.succeeded:
            return True
        is_error = any(self.document.get(name) is False for name in ("ok", "success"))
        is_error |= any(self.document.get(name) for name in ("error", "errors")) or bool(self.codes)
        return is_error and not is_access_token(self.document.get("access_token"))

    @property
    def challenged(self) -> bool:
        """Whether the issuer demands other client credentials, as RFC 6749, 5.2, says for HTTP Basic."""
        schemes = [scheme for scheme, _ in challenges(self.challenge)]
        return self.status == HTTPStatus.UNAUTHORIZED and "basic" in schemes

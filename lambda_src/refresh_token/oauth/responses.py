"""A token endpoint's answer: its status and its members (RFC 6749, 5)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from refresh_token.core.text import is_access_token
from refresh_token.oauth.challenges import challenges

MAX_BYTES: Final = 1024 * 1024
"""Longest body that is read, compressed or not. A token answer is a few hundred bytes long. A longer one is read as
well, because it may hold a new refresh token. The store decides whether that token fits."""

_NESTED: Final = ("code", "error", "errorType", "errorCode", "type", "status", "reason")
_ELSEWHERE: Final = ("error_code", "errorCode", "errorType", "code", "err")
_MESSAGES: Final = (
    *("message", "error_description", "errorMessage", "err", "msg"),
    *("detail", "title", "reason", "errorSummary", "error_summary"),  # the first two are RFC 9457's
)
_WORD_BREAK: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|[\s-]+")


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
        """The error code, and what may be one in other members and in challenges.

        They are spelt like those of the RFC: ``invalidGrant`` and ``Invalid Grant`` become ``invalid_grant``.
        """
        challenged = [parameters.get("error") for _, parameters in challenges(self.challenge)]
        return _spelt((*self._stated, self.document.get("status"), *challenged))

    @property
    def _stated(self) -> tuple[object, ...]:
        """The values of the members that only an error has."""
        nested = [part.get(name) for part in self._errors if isinstance(part, Mapping) for name in _NESTED]
        plain = [part for part in self._errors if isinstance(part, str)]
        return (*plain, *nested, *(self.document.get(name) for name in _ELSEWHERE))

    @property
    def _errors(self) -> tuple[object, ...]:
        """``error`` and ``errors``, and the items of each that is a list."""
        values = (self.document.get(name) for name in ("error", "errors"))
        return tuple(part for value in values for part in (value if isinstance(value, list) else (value,)))

    @property
    def message(self) -> str:
        """What the error says in words, or "". It may echo the request: never show it."""
        nested = [part.get(name) for part in self._errors if isinstance(part, Mapping) for name in _MESSAGES]
        members = (*nested, *(self.document.get(name) for name in _MESSAGES))
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
        is_error |= any(self.document.get(name) for name in ("error", "errors")) or bool(_spelt(self._stated))
        return is_error and not is_access_token(self.document.get("access_token"))

    @property
    def challenged(self) -> bool:
        """Whether the issuer demands other client credentials, as RFC 6749, 5.2, says for HTTP Basic."""
        schemes = [scheme for scheme, _ in challenges(self.challenge)]
        return self.status == HTTPStatus.UNAUTHORIZED and "basic" in schemes


def _spelt(values: Iterable[object]) -> tuple[str, ...]:
    return tuple(
        _WORD_BREAK.sub("_", text).lower() for value in values if isinstance(value, str) and (text := value.strip())
    )

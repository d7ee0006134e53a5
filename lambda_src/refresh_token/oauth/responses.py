"""A token endpoint's answer: its status and its members (RFC 6749, 5)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from refresh_token.core.text import is_access_token
from refresh_token.oauth.challenges import challenges

MAX_BYTES: Final = 1024 * 1024
"""Longest body that is read, compressed or not. A token answer is a few hundred bytes long. A longer one is read as
well, because it may hold a new refresh token. The store decides whether that token fits."""

_ERRORS: Final = ("error", "errors", "fault", "Fault", "Error")
"""Members whose values are errors, or lists of errors."""

_INSIDE: Final = (*_ERRORS, "extensions", "details")
"""Members of an error that say more about it. GraphQL has the first of those that _ERRORS does not have."""

_MAX_DEPTH: Final = 4

_NESTED: Final = ("code", "field", "error", "errorType", "errorCode", "type", "status", "reason")
_ELSEWHERE: Final = ("error_code", "errorCode", "errorType", "code", "err")
_BESIDE: Final = ("status", "type", "title")
"""Members that may hold a code, but that are no sign of an error: successful answers have them as well."""

_NUMBERS: Final = ("errcode", "error_code", "errorCode")
"""Members with the number of an error; 0 is none."""

_MESSAGES: Final = (
    *("message", "error_description", "error_message", "errorMessage", "err", "errmsg", "error_msg", "msg"),
    *("detail", "title", "reason", "description", "errorSummary", "error_summary"),  # the first two are RFC 9457's
)
_FAILED: Final = ("error", "fail", "failed", "failure")

_WORD_BREAK: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|[^A-Za-z0-9]+")
_PART: Final = re.compile(r"[:/#;,.]")
_CODE: Final = re.compile(r"[a-z]+(_[a-z]+)+")


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """What a token endpoint answered. `document` is empty if the body holds no members."""

    status: int
    document: Mapping[str, object] = field(repr=False)
    challenge: str = field(default="", repr=False)
    """The headers ``WWW-Authenticate``, with commas between them."""

    text: str = field(default="", repr=False, compare=False)
    """The body, for a provider whose whole body is the token."""

    retry_after: float | None = field(default=None, compare=False)
    """The seconds that the header ``Retry-After`` asks to wait; None if there is none."""

    @property
    def code(self) -> str:
        """The error code (RFC 6749, 5.2), or "". It may echo the request, so show it only if you know it."""
        code = self.document.get("error")
        return code.strip() if isinstance(code, str) else ""

    @property
    def codes(self) -> tuple[str, ...]:
        """The error code, and what may be one in other members and in challenges.

        They are spelt like those of the RFC: ``invalidGrant``, ``Invalid Grant`` and ``InvalidGrantException`` become
        ``invalid_grant``. A code may stand in a URI or before a description: ``invalid_client: Unknown client``.
        """
        challenged = [parameters.get("error") for _, parameters in challenges(self.challenge)]
        beside = [self.document.get(name) for name in _BESIDE]
        messages = [text for text in self._messages if _CODE.fullmatch(text)]
        return spelt((*self._stated, *beside, *challenged, *messages, *map(str, self.numbers)))

    @property
    def _stated(self) -> tuple[object, ...]:
        """The values of the members that only an error has."""
        nested = [part.get(name) for part in self._errors if isinstance(part, Mapping) for name in _NESTED]
        plain = [part for part in self._errors if isinstance(part, str)]
        return (*plain, *nested, *(self.document.get(name) for name in _ELSEWHERE))

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of errors, which mean something only in a profile."""
        found = [self.document.get(name) for name in (*_NUMBERS, *_ELSEWHERE)]
        return tuple(value for value in found if isinstance(value, int) and not isinstance(value, bool))

    @property
    def _errors(self) -> tuple[object, ...]:
        """The values of `_ERRORS`, what is in them, and the items of each that is a list."""
        return tuple(part for name in _ERRORS for part in _parts(self.document.get(name), _MAX_DEPTH))

    @property
    def message(self) -> str:
        """What the error says in words, or "". It may echo the request: never show it."""
        return " ".join(self._messages)

    @property
    def _messages(self) -> tuple[str, ...]:
        nested = [part.get(name) for part in self._errors if isinstance(part, Mapping) for name in _MESSAGES]
        members = (*nested, *(self.document.get(name) for name in _MESSAGES))
        return tuple(text for text in members if isinstance(text, str))

    @property
    def succeeded(self) -> bool:
        """Whether the status is one of success."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def refused(self) -> bool:
        """Whether this answer is an error. Some issuers refuse with 200. No answer with a usable access token does."""
        is_error = not self.succeeded or self._says_error
        return is_error and not is_access_token(self.document.get("access_token"))

    @property
    def _says_error(self) -> bool:
        document = self.document
        failed = any(document.get(name) in (False, "false") for name in ("ok", "success"))
        failed = failed or spelt((document.get("status"),)) in {(word,) for word in _FAILED}
        stated = any(document.get(name) for name in _ERRORS) or bool(spelt(self._stated))
        return failed or stated or any(isinstance(document.get(name), int) and document[name] for name in _NUMBERS)

    @property
    def challenged(self) -> bool:
        """Whether the issuer demands other client credentials, as RFC 6749, 5.2, says for HTTP Basic."""
        schemes = [scheme for scheme, _ in challenges(self.challenge)]
        return self.status == HTTPStatus.UNAUTHORIZED and "basic" in schemes


def _parts(value: object, depth: int) -> Iterator[object]:
    """Return an error and the errors in it."""
    for part in value if isinstance(value, list) else (value,):
        yield part
        if isinstance(part, Mapping) and depth:
            for name in _INSIDE:
                yield from _parts(part.get(name), depth - 1)


def spelt(values: Iterable[object]) -> tuple[str, ...]:
    """Return the texts among the values as codes, and after each one that has parts, its parts."""
    texts = [value for value in values if isinstance(value, str)]
    parts = [part for text in texts for part in dict.fromkeys((text, *_PART.split(text)))]
    codes = (_WORD_BREAK.sub("_", part).strip("_").lower() for part in parts)
    return tuple(code.removesuffix("_exception") for code in codes if code)

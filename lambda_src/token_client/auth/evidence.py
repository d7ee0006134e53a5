"""What an API's 401 or 403 says about the token: that it is invalid, that something else is wrong, or neither.

A live token that lacks a scope is rejected as well, and a refresh does not help it. Many APIs tell the two apart, by
the error code of the challenge (RFC 6750, 3.1) or in the body, as Figma does ("Invalid token", "Invalid scope(s)").
"""

import re
from collections.abc import Iterable
from enum import Enum
from typing import Final

MAX_READ: Final = 4096
"""Bytes of the body that count. An error page of a firewall is longer, and says nothing about the token."""

_CODE: Final = re.compile(r"""\berror\s*=\s*["']?(\w+)""", re.IGNORECASE)
_OTHER_CODES: Final = frozenset({"insufficient_scope", "insufficient_user_authentication"})

_BREAKS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|[_\W]+")
_INVALID: Final = re.compile(
    r"\b(invalid|expired|revoked|inactive|malformed)( \w+){0,4} (token|session)\b"
    r"|\b(token|session)( \w+){0,6} (invalid|expired|revoked|inactive|malformed)\b"
)
_OTHER: Final = re.compile(
    r"\b(insufficient|invalid|missing|required?|requires|not contain)( \w+){0,6} scopes?\b"
    r"|\bscopes? (\w+ ){0,3}(insufficient|missing|required|mismatch|not match)\b"
    r"|\b(insufficient|missing) (\w+ )?(permission|privilege)s?\b"
    r"|\brate ?limit"
)


class Evidence(Enum):
    """What a rejection says about the token."""

    INVALID = "invalid"
    """The token is expired, revoked or unknown."""
    OTHER = "other"
    """The token is not the reason: a scope is missing, for example."""
    NONE = "none"
    """The reason is not told."""


def evidence_of(challenges: Iterable[str], body: bytes = b"") -> Evidence:
    """Read the values of the ``WWW-Authenticate`` headers, and the body if it is at hand."""
    codes = {code.lower() for challenge in challenges for code in _CODE.findall(challenge)}
    if "invalid_token" in codes:
        return Evidence.INVALID
    if codes & _OTHER_CODES:
        return Evidence.OTHER
    if len(body) > MAX_READ:
        return Evidence.NONE
    text = _BREAKS.sub(" ", body.decode(errors="replace")).lower()
    is_invalid, is_other = bool(_INVALID.search(text)), bool(_OTHER.search(text))
    if is_invalid == is_other:
        return Evidence.NONE
    return Evidence.INVALID if is_invalid else Evidence.OTHER

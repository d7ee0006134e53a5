"""The JSON object in the body of an answer, read leniently: the answer may hold the only new refresh token."""

import json
from typing import Any, Final

_MAX_DIGITS: Final = 30
"""Digits of a number that are read. Longer numbers have no meaning here, and Python refuses to parse more than 4300
digits."""


def json_object(body: bytes | None) -> dict[str, Any] | None:
    """Return the JSON object in a body, None if there is none.

    Like most readers, it accepts repeated members (the last one counts), a byte order mark, UTF-16, UTF-32, NaN and
    raw control characters in strings. Bytes that are not text spoil only the string that has them: no token with such
    bytes can be used.
    """
    if body is None:
        return None
    try:
        text = body.decode(json.detect_encoding(body), errors="surrogateescape")
        found = json.loads(text, strict=False, parse_int=_whole)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else float("nan")

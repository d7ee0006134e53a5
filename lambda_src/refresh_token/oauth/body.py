"""The members in the body of an answer, read leniently: the answer may hold the only new refresh token."""

import json
from typing import Any, Final
from urllib.parse import parse_qsl

_FORMS: Final = ("application/x-www-form-urlencoded", "text/plain")
"""Media types of a body that may be a form. RFC 6749, 5.1, knows JSON only, but GitHub sends the first one to clients
that do not ask for JSON, and some older servers send the second one."""

_BLANKS: Final = "\ufeff \t\r\n"
"""What may stand before the object: white space and byte order marks."""

_MAX_DIGITS: Final = 30
"""Digits of a number that are read. Longer numbers have no meaning here, and Python refuses to parse more than 4300
digits."""


def members(body: bytes | None, content_type: str | None) -> dict[str, Any] | None:
    """Return the members of a body, which is a JSON object or, if its header ``Content-Type`` says so, a form.

    None if there are none. All values of a form are text; of a repeated one, the last counts.
    """
    found = json_object(body)
    if found is not None or body is None or _media_type(content_type) not in _FORMS:
        return found
    return dict(parse_qsl(body.decode(errors="surrogateescape").strip(), errors="surrogateescape")) or None


def _media_type(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


def json_object(body: bytes | None) -> dict[str, Any] | None:
    """Return the JSON object that a body begins with, None if there is none.

    Like most readers, it accepts repeated members (the last one counts), a byte order mark, UTF-16, UTF-32, NaN and
    raw control characters in strings. What follows the object, such as a server's warning, is ignored. Bytes that are
    not text spoil only the string that has them: no token with such bytes can be used.
    """
    if body is None:
        return None
    try:
        text = body.decode(json.detect_encoding(body), errors="surrogateescape")
        found, _ = _READER.raw_decode(text.lstrip(_BLANKS))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else float("nan")


_READER: Final = json.JSONDecoder(strict=False, parse_int=_whole)

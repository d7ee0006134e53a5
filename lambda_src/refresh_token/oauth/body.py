"""The members in the body of an answer, read leniently: the answer may hold the only new refresh token."""

import json
import re
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

_TOKEN_FORM: Final = re.compile(r"""([\w.-]+=[^&\s<>"{}]*&)*access_token=[^\s<>"{}]+""")
"""A body that is a form with an access token, whatever its header says."""

_TOKENS: Final = ("access_token", "refresh_token", "accessToken", "refreshToken")

_MEMBER: Final = re.compile(r'"(\w+)"\s*:\s*("(?:[^"\\]|\\.)*(?:"|\\?\Z)|-?[0-9][0-9.]*(?=\s*[,}\]]))')
"""A member of a JSON object that is complete, or whose text is cut off."""

_PAGE: Final = re.compile(r"\s*<(!doctype|html)", re.IGNORECASE)


def members(body: bytes | None, content_type: str | None) -> dict[str, Any] | None:
    """Return the members of a body, which is JSON or, if its header ``Content-Type`` says so, a form.

    None if there are none. All values of a form are text; of a repeated one, the last counts. A form with an access
    token needs no header.
    """
    found = json_members(body)
    if found is not None or body is None:
        return found
    text = body.decode(errors="surrogateescape").strip()
    is_form = _media_type(content_type) in _FORMS or _TOKEN_FORM.fullmatch(text)
    return dict(parse_qsl(text, errors="surrogateescape")) or None if is_form else None


def _media_type(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


def json_members(body: bytes | None) -> dict[str, Any] | None:
    """Return the JSON object that a body begins with, or the members of a token answer that is no such object.

    The answer may be cut off, stand in a list, or follow a server's warning. What is read then are all members with a
    text or a number, if one of them is a token. A text that is cut off is False. None if there is neither.
    """
    found = json_object(body)
    if found is not None or body is None:
        return found
    text = body.decode(errors="surrogateescape")
    scattered = {} if _PAGE.match(text) else {name: _whole_value(value) for name, value in _MEMBER.findall(text)}
    return scattered if any(isinstance(scattered.get(name), str) for name in _TOKENS) else None


def _whole_value(text: str) -> object:
    try:
        return _READER.decode(text)
    except ValueError:
        return False


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

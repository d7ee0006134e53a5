"""Reading JSON Lines: one object a line. A fault names keys at most, never a value: it may be a token."""

import json
import math
from collections.abc import Iterator
from typing import BinaryIO, Final

MAX_LINE: Final = 1_000_000
"""Bytes of the longest line. No item has room for more than 400 KB (Amazon DynamoDB quotas)."""

Document = dict[str, object]


class Fault(Exception):  # noqa: N818 - it says what is wrong with a document, and never leaves the import
    """What is wrong with one document; the text goes after its name and a colon."""


def read_lines(stream: BinaryIO) -> Iterator[tuple[int, Document | Fault]]:
    """Yield each line that is not blank, by its number, with the object that it holds or what is wrong with it."""
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE and not line.endswith(b"\n"):
            while (rest := stream.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                pass
            yield number, Fault(f"it is longer than {MAX_LINE:,} bytes")
            continue
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")  # editors and shells of Windows write a byte order mark
        if line.strip():
            try:
                yield number, parse_document(line)
            except Fault as fault:
                yield number, fault


def parse_document(text: bytes | str) -> Document:
    """Return the object that a text holds.

    Raises:
        Fault: it is not UTF-8, not JSON, no object, or has a key twice.

    """
    try:
        found = json.loads(
            text if isinstance(text, str) else text.decode(),
            object_pairs_hook=_once,
            parse_constant=_finite,
            parse_float=_finite,
        )
    except UnicodeDecodeError:
        fault = Fault("it is not UTF-8 text")
    except (ValueError, RecursionError):
        fault = Fault("it is not JSON")
    else:
        if isinstance(found, dict):
            return found
        fault = Fault("it is not a JSON object")
    raise fault


def _once(members: list[tuple[str, object]]) -> Document:
    """Return the object; of a key that occurs twice, nobody knows which value is meant."""
    found = dict(members)
    if len(found) < len(members):
        raise Fault("an object in it has a key twice")
    return found


def _finite(text: str) -> float:
    """Return a number. JSON has neither NaN nor Infinity, which can also be written as 1e999."""
    if math.isfinite(number := float(text)):
        return number
    raise ValueError("not a number of JSON")

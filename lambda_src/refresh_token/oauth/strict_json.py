"""JSON that every parser reads in the same way."""

import json
from typing import NoReturn


def json_object(body: bytes | None) -> dict[str, object] | None:
    """Return the JSON object in a body; None if there is none, or if another parser could read it differently.

    A name that occurs twice, NaN, Infinity and anything but UTF-8 therefore count as no object (RFC 8259, 4, 6, 8.1).
    """
    if body is None:
        return None
    try:
        found = json.loads(body.decode(), object_pairs_hook=_members, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name occurs twice")
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)

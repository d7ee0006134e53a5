"""What a secret holds that is not a token pair. Pure.

Someone may still send a token that is in it, and its keys may still say whose it is.
"""

import hmac
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from refresh_token.core.issued_by import KEY, IssuedBy, parse_issued_by

_BETWEEN_WORDS: Final = re.compile(r"[\s\"',]+")


@dataclass(frozen=True, slots=True)
class UnreadablePair:
    """The text of a secret that `secret_format` cannot read."""

    text: str = field(repr=False)

    def holds(self, token: str) -> bool:
        """Tell whether ``token`` is one of the strings in it, or one of its words if it is no JSON.

        A part of a string does not count, or a caller could find out a token piece by piece.
        """
        return any(hmac.compare_digest(token.encode(), one.encode(errors="replace")) for one in self._strings())

    def issued_by(self) -> IssuedBy | None:
        """Return whose it is, None if it does not say so in a way that can be read."""
        try:
            document = json.loads(self.text)
            return parse_issued_by(document.get(KEY)) if isinstance(document, dict) else None
        except (ValueError, RecursionError):
            return None

    def _strings(self) -> list[str]:
        found: list[str] = []

        def note(members: list[tuple[str, object]]) -> None:
            for _, value in members:  # also those of a key that occurs twice
                found.extend(_strings_in(value))

        try:
            found.extend(_strings_in(json.loads(self.text, object_pairs_hook=note)))
        except (ValueError, RecursionError):
            words = _BETWEEN_WORDS.split(self.text)
            return [*words, *(word.partition("=")[2] for word in words)]
        return found


def _strings_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value.strip()
    elif isinstance(value, list):
        for each in value:
            yield from _strings_in(each)

"""Rules for the values of settings. A rule reads a raw value; its text completes the line "<key>=<value>: <rule>".

The construct reads the settings of an issuer by these rules before a deployment, and the function reads its environment
by the same rules, so no bad value is deployed.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from refresh_token.oauth.addresses import HTTPS, HTTPS_OR_HTTP, is_url, url_rule

_MAX_DIGITS: Final = 18
"""The longest number that is read, in digits."""


class Rule(Protocol):
    """Reads one value. `str(rule)` says what the value must be."""

    def read(self, value: object) -> Any:  # noqa: ANN401 - a rule knows its type
        """Return the typed value. Raises `ValueError` with the rule that the value breaks."""
        ...


@dataclass(frozen=True)
class Whole:
    """A whole number from `low` to `high`, or its digits. `unit` completes the rule."""

    low: int
    high: int
    unit: str = ""

    def __str__(self) -> str:
        return f"must be a whole number from {self.low} to {self.high}{' ' + self.unit if self.unit else ''}"

    def read(self, value: object) -> int:
        """Return the number."""
        number = whole(value)
        if number is None or not self.low <= number <= self.high:
            raise ValueError(str(self))
        return number


@dataclass(frozen=True)
class Text:
    """A text that passes a test."""

    rule: str
    test: Callable[[str], bool]

    def __str__(self) -> str:
        return self.rule

    def read(self, value: object) -> str:
        """Return the text."""
        if not isinstance(value, str) or not self.test(value):
            raise ValueError(self.rule)
        return value


@dataclass(frozen=True)
class Address:
    """An issuer's address. `http` also allows an unencrypted connection, which only a stand-in needs."""

    query: bool = False
    http: bool = False

    def __str__(self) -> str:
        return url_rule(self._schemes, query=self.query)

    @property
    def _schemes(self) -> tuple[str, ...]:
        return HTTPS_OR_HTTP if self.http else HTTPS

    def accepts(self, url: str) -> bool:
        """Tell whether this is such an address."""
        return is_url(url, self._schemes, query=self.query)

    def read(self, value: object) -> str:
        """Return the address."""
        if not isinstance(value, str) or not self.accepts(value):
            raise ValueError(str(self))
        return value


@dataclass(frozen=True)
class Strings:
    """A JSON object of strings, or a mapping of strings, without the `reserved` keys."""

    reserved: tuple[str, ...]

    def __str__(self) -> str:
        without = f", without {', '.join(self.reserved)}" if self.reserved else ""
        return f"must be a JSON object of strings{without}"

    def read(self, value: object) -> dict[str, str]:
        """Return the strings by their keys."""
        try:
            found: Any = json.loads(value) if isinstance(value, str) else value
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, Mapping) or not all(_can_be_sent(text) for pair in found.items() for text in pair):
            raise ValueError(str(self))
        if set(self.reserved) & set(found):
            raise ValueError(str(self))
        return dict(found)


def choice(words: tuple[str, ...]) -> Text:
    """Return the rule for one of the given words."""
    return Text(f"must be {listed(words)}", words.__contains__)


def for_stand_in(rule: Rule) -> Rule:
    """Return the rule for the settings of a stand-in, whose address may be http."""
    return replace(rule, http=True) if isinstance(rule, Address) else rule


def listed(choices: tuple[Any, ...]) -> str:
    """Return `a, b or c`."""
    texts = [str(choice) for choice in choices]
    return ", ".join(texts[:-1]) + (" or " if texts[:-1] else "") + texts[-1]


def whole(value: object) -> int | None:
    """Return a whole number that is given as such or as its digits, None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _is_scope(text: str) -> bool:
    return all(word and all("!" <= sign <= "~" and sign not in '"\\' for sign in word) for word in text.split(" "))


def _can_be_sent(text: object) -> bool:
    """Tell whether it is a text that UTF-8 can encode. JSON can hold a lone surrogate, which UTF-8 cannot encode."""
    try:
        return isinstance(text, str) and text.encode().decode() == text
    except UnicodeEncodeError:
        return False


SCOPES: Final = Text("must be scopes with one blank between them (RFC 6749, 3.3)", _is_scope)
LIFETIME: Final = Whole(60, 31_536_000, "seconds, a year at most")
HTTP_URL: Final = Text(
    "must be a URL such as http://127.0.0.1:9999, without user, query or fragment",
    lambda url: is_url(url, HTTPS_OR_HTTP),
)

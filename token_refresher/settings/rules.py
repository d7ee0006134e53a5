"""What a setting's value must be. A rule reads a raw value; its text completes the line "<key>=<value>: <rule>"."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from token_refresher.settings.schedule_expression import longest_two_ticks


class Rule(Protocol):
    """Reads one value; `str(rule)` is what it must be."""

    def read(self, value: object) -> Any:  # noqa: ANN401 - a rule knows its type
        """Return the value in its own type. Raises `ValueError` with the rule that it breaks."""
        ...


@dataclass(frozen=True)
class Whole:
    """A whole number, or its digits, from `low` to `high`; `unit` completes the rule."""

    low: int
    high: int
    unit: str = ""

    def __str__(self) -> str:
        return f"must be a whole number from {self.low} to {self.high}{' ' + self.unit if self.unit else ''}"

    def read(self, value: object) -> int:
        """Return the number."""
        number = _whole(value)
        if number is None or not self.low <= number <= self.high:
            raise ValueError(str(self))
        return number


@dataclass(frozen=True)
class OneOf:
    """One of some numbers; `source` says who decides which."""

    numbers: tuple[int, ...]
    source: str

    def __str__(self) -> str:
        return f"must be {listed(self.numbers)}, {self.source}"

    def read(self, value: object) -> int:
        """Return the number."""
        number = _whole(value)
        if number is None or number not in self.numbers:
            raise ValueError(str(self))
        return number


@dataclass(frozen=True)
class Choice:
    """One of some words."""

    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"must be {listed(self.words)}"

    def read(self, value: object) -> str:
        """Return the word."""
        if not isinstance(value, str) or value not in self.words:
            raise ValueError(str(self))
        return value


class Flag:
    """True or false, as the command line has it, too."""

    def __str__(self) -> str:
        return "must be true or false"

    def read(self, value: object) -> bool:
        """Return the answer."""
        if isinstance(value, bool):
            return value
        if value not in ("true", "false"):
            raise ValueError(str(self))
        return value == "true"


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


class ScheduleExpression:
    """What EventBridge Scheduler takes, and repeats for ever."""

    def __str__(self) -> str:
        return (
            "must be `rate(...)` or `cron(...)` of EventBridge Scheduler, twice within the advisory window and 7 days"
        )

    def read(self, value: object) -> str:
        """Return the expression."""
        if not isinstance(value, str) or not value:
            raise ValueError("must be a text that is not empty")
        longest_two_ticks(value)
        return value


def listed(choices: tuple[Any, ...]) -> str:
    """Return `a, b or c`."""
    texts = [str(choice) for choice in choices]
    return ", ".join(texts[:-1]) + (" or " if texts[:-1] else "") + texts[-1]


def _whole(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def is_url(url: str, schemes: tuple[str, ...], *, query: bool = False) -> bool:
    """Tell whether this is an absolute address with one of the schemes, and nothing that does not belong into one."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    extras = parts.username is not None or "#" in url or ("?" in url and not query)
    plain = url.isascii() and url.isprintable() and not set(url) & set(' \\"<>')
    return parts.scheme in schemes and bool(parts.hostname) and port != 0 and plain and not extras


HTTP_URL = Text(
    "must be a URL such as http://127.0.0.1:9999, without user, query or fragment",
    lambda url: is_url(url, ("http", "https")),
)
# Not all that RFC 5321 allows: what a person would give to be paged at.
EMAIL = Text(
    "must be one e-mail address",
    lambda text: len(text) <= 254 and re.fullmatch(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(\.[\w-]+)+", text) is not None,  # noqa: PLR2004 - RFC 5321
)
# What CloudWatch takes as a dimension (API reference, Dimension) and a search expression holds in quotes.
SERVICE_NAME = Text(
    "must be 1 to 255 letters, digits, blanks and signs of ASCII but quotes and backslashes; no colon or blank to "
    "begin with, no blank at the end",
    lambda text: re.fullmatch(r"(?![ :])[ !#-&(-\[\]-~]{1,255}(?<! )", text) is not None,
)

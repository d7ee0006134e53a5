"""Rules for the values of settings. A rule reads a raw value; its text completes the line "<key>=<value>: <rule>"."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from refresh_token.oauth.addresses import HTTPS_OR_HTTP, is_url
from token_refresher.settings.schedule_expression import max_time_for_two_ticks


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
        number = _whole(value)
        if number is None or not self.low <= number <= self.high:
            raise ValueError(str(self))
        return number


@dataclass(frozen=True)
class OneOf:
    """One of the given numbers. `source` says who decides which."""

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
    """One of the given words."""

    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"must be {listed(self.words)}"

    def read(self, value: object) -> str:
        """Return the word."""
        if not isinstance(value, str) or value not in self.words:
            raise ValueError(str(self))
        return value


class Flag:
    """True or false, also as the text that the command line passes."""

    def __str__(self) -> str:
        return "must be true or false"

    def read(self, value: object) -> bool:
        """Return the flag."""
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
    """An expression that EventBridge Scheduler accepts and repeats for ever."""

    def __str__(self) -> str:
        return (
            "must be a `rate(...)` or `cron(...)` expression of EventBridge Scheduler that ticks twice within the "
            "advisory window and within 7 days"
        )

    def read(self, value: object) -> str:
        """Return the expression."""
        if not isinstance(value, str) or not value:
            raise ValueError("must be non-empty text")
        max_time_for_two_ticks(value)
        return value


def listed(choices: tuple[Any, ...]) -> str:
    """Return `a, b or c`."""
    texts = [str(choice) for choice in choices]
    return ", ".join(texts[:-1]) + (" or " if texts[:-1] else "") + texts[-1]


def _whole(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


HTTP_URL = Text(
    "must be a URL such as http://127.0.0.1:9999, without user, query or fragment",
    lambda url: is_url(url, HTTPS_OR_HTTP),
)
# Narrower than RFC 5321: an address where a person wants to be paged.
EMAIL = Text(
    "must be one e-mail address",
    lambda text: len(text) <= 254 and re.fullmatch(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(\.[\w-]+)+", text) is not None,  # noqa: PLR2004 - RFC 5321
)
# CloudWatch must accept it as a dimension (API reference, Dimension), and a search expression must hold it in quotes.
SERVICE_NAME = Text(
    "must be 1 to 255 printable ASCII characters without quotes and backslashes. It must not begin with a colon or a "
    "blank, and not end with a blank",
    lambda text: re.fullmatch(r"(?![ :])[ !#-&(-\[\]-~]{1,255}(?<! )", text) is not None,
)

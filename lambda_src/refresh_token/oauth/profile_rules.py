"""Rules for the keys of a profile, beside those of `rules`, and what a key is: a rule and a description.

A key is declared as `name: Annotated[type, Key(rule, about)]`; the loader and the reference in the docs both read that.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from refresh_token.core.text import NAME as PROVIDER
from refresh_token.core.text import NAME_RULE
from refresh_token.oauth.rules import Rule, Text, Whole, choice

MAX_TEXT: Final = 2000
"""Characters of a text in a profile."""

MAX_DEPTH: Final = 8
"""How deep the tables of a JSON body may be nested."""


@dataclass(frozen=True, kw_only=True)
class Key:
    """Everything about a key but its name, type and default. `about` is Markdown, for a table of the docs."""

    rule: Rule
    about: str
    hidden: bool = False
    """Whether messages leave out its value, because people may put a secret there by mistake."""


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def __str__(self) -> str:
        return "must be true or false"

    def read(self, value: object) -> bool:
        """Return the value."""
        if not isinstance(value, bool):
            raise ValueError(str(self))  # noqa: TRY004 - one error for every wrong value
        return value


@dataclass(frozen=True)
class Several:
    """A list, each item of which passes `item`."""

    item: Text

    def __str__(self) -> str:
        return f"must be a list, each item {_bare(self.item)}"

    def read(self, value: object) -> tuple[str, ...]:
        """Return the items."""
        if not isinstance(value, list) or len(set(map(str, value))) != len(value):
            raise ValueError(str(self))
        try:
            return tuple(self.item.read(item) for item in value)
        except ValueError:
            raise ValueError(str(self)) from None


@dataclass(frozen=True)
class Table:
    """A table of texts."""

    name: Text
    value: Text

    def __str__(self) -> str:
        return f"must be a table, each name {_bare(self.name)}, each value {_bare(self.value)}"

    def read(self, value: object) -> dict[str, str]:
        """Return the texts by their names."""
        if not isinstance(value, Mapping):
            raise ValueError(str(self))  # noqa: TRY004 - one error for every wrong value
        try:
            return {self.name.read(name): self.value.read(text) for name, text in value.items()}
        except ValueError:
            raise ValueError(str(self)) from None


@dataclass(frozen=True)
class Tree:
    """A table of texts, numbers, true, false, lists and tables: the members of a JSON object."""

    def __str__(self) -> str:
        return f"must be a table of texts, whole numbers, true, false, lists and tables, {MAX_DEPTH} deep at most"

    def read(self, value: object) -> dict[str, Any]:
        """Return the table."""
        if not isinstance(value, Mapping) or not self._holds(value, MAX_DEPTH):
            raise ValueError(str(self))
        return dict(value)

    def _holds(self, value: object, depth: int) -> bool:
        if isinstance(value, Mapping):
            return depth > 0 and all(NAME.test(name) and self._holds(item, depth - 1) for name, item in value.items())
        if isinstance(value, list):
            return depth > 0 and all(self._holds(item, depth - 1) for item in value)
        return TEXT.test(value) if isinstance(value, str) else isinstance(value, int)


@dataclass(frozen=True)
class Day:
    """A date, or its text in ISO 8601."""

    def __str__(self) -> str:
        return "must be a date such as 2026-11-26"

    def read(self, value: object) -> date:
        """Return the date."""
        try:
            return value if type(value) is date else date.fromisoformat(str(value))
        except ValueError:
            raise ValueError(str(self)) from None


def _bare(rule: Text) -> str:
    return rule.rule.removeprefix("must be ")


def _pattern(rule: str, pattern: str) -> Text:
    compiled = re.compile(pattern)
    return Text(rule, lambda text: compiled.fullmatch(text) is not None)


def _can_be_sent(text: str) -> bool:
    return len(text) <= MAX_TEXT and text.isprintable() and not re.search("[\ud800-\udfff]", text)


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError):
        return False
    return 0 < len(text) <= MAX_TEXT


TEXT: Final = Text(f"must be a text of {MAX_TEXT} printable characters at most", _can_be_sent)
ADDRESS: Final = Text("must be an address with https, which may hold `{names}`", _can_be_sent)
WORDS: Final = Text("must be a text that is not empty", lambda text: bool(text.strip()) and _can_be_sent(text))
NAME: Final = _pattern("must be a name without spaces", r"[^\s\x00-\x1f\x7f]{1,100}")
NAME_OR_NONE: Final = _pattern("must be a name without spaces, or empty for none", r"[^\s\x00-\x1f\x7f]{0,100}")
PATH: Final = _pattern("must be names with dots between them", r"[^\s.]+(\.[^\s.]+)*")
PATH_OR_NONE: Final = _pattern("must be names with dots between them, or empty", r"([^\s.]+(\.[^\s.]+)*)?")
IDENTIFIER: Final = _pattern("must be a letter, then letters, digits or `_`", r"[A-Za-z][A-Za-z0-9_]{0,39}")
PROFILE_NAME: Final = _pattern(NAME_RULE, PROVIDER)
HEADER_NAME: Final = _pattern(
    "must be the name of a header (RFC 9110, 5.1) that is not the HTTP library's",
    r"(?!(?i:host|content-length|transfer-encoding|connection)\Z)[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}",
)
HEADER_VALUE: Final = _pattern("must be visible ASCII characters and spaces inside", r"([!-~]([ -~]*[!-~])?)?")
SCHEME: Final = _pattern("must be one word of visible ASCII characters, or empty", r"[!-~]{0,50}")
SCOPE: Final = _pattern("must be a scope, without spaces", r"[!-~]{1,300}")
SEPARATOR: Final = _pattern("must be one to three characters, such as a blank or a comma", r"[ -~]{1,3}")
HOST: Final = _pattern(
    "must be a host such as `acme.example`, with `*.` before it for any labels, or `*` for any host",
    r"\*|(\*\.)?([a-z0-9_-]{1,63}\.)+[a-z0-9-]{2,63}(:[0-9]{1,5})?",
)
PATTERN: Final = Text("must be a regular expression", _is_pattern)
SECONDS: Final = Whole(0, 315_360_000, "seconds, ten years at most")
DAYS: Final = Whole(0, 36_500, "days")
FORMAT: Final = choice(("form", "json", "query"))
METHOD: Final = choice(("POST", "GET", "PUT", "DELETE"))

OTHER_NAMES: Final = Key(
    rule=Table(NAME, NAME_OR_NONE),
    about="Other names of the standard's parameters; an empty one drops the parameter.",
)
FURTHER_HEADERS: Final = Key(rule=Table(HEADER_NAME, HEADER_VALUE), about="Further headers.", hidden=True)

"""What `{name}` means in the texts of a profile.

`{x}` is a value; `{base64(x:y)}` encodes values with colons between them; `{json(x)}` is a value inside a JSON string;
`{date+7}` is a UTC date, here in seven days. `{{` and `}}` are braces.
"""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, Final

DATE: Final = "date"
"""The name of today's date (UTC) in ISO 8601."""

_BRACES: Final = {"{{": "{", "}}": "}"}
_PIECE: Final = re.compile(r"\{\{|\}\}|\{[^{}]*\}|[{}]")
_NAME: Final = r"[A-Za-z][A-Za-z0-9_]*"
_EXPRESSION: Final = re.compile(
    rf"\{{((?P<name>{_NAME})|(?P<function>base64|json)\((?P<several>(?:{_NAME})?(?::(?:{_NAME})?)*)\)"
    rf"|{DATE}(?P<days>[+-][0-9]{{1,4}}))\}}"
)
_RULE: Final = "holds a brace that is no {name}; write {{ and }} for braces"


def names(text: str) -> frozenset[str]:
    """Return the names of the values that a text needs. Raises ValueError for a brace that begins no name."""
    found: set[str] = set()
    for piece in _PIECE.findall(text):
        if piece not in _BRACES:
            found |= set(_names(_expression(piece)))
    return frozenset(found)


def names_in(tree: object) -> frozenset[str]:
    """Return the names in all texts of nested tables and lists."""
    return frozenset().union(*(names(text) for text in _texts(tree)))


def fill(text: str, values: Mapping[str, str], escape: Callable[[str], str] = str) -> str:
    """Return the text with the values in place; `escape` is applied to each. Raises ValueError if one is missing."""
    return _PIECE.sub(lambda piece: _BRACES.get(piece[0]) or escape(_value(_expression(piece[0]), values)), text)


def fill_in(tree: Any, values: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
    """Return nested tables and lists with the values in place in all their texts.

    A text that is only names and comes out empty is left out: nobody has set an optional parameter.
    """
    if isinstance(tree, Mapping):
        found = {name: fill_in(item, values) for name, item in tree.items()}
        return {name: item for name, item in found.items() if item != "" or tree[name] == ""}
    if isinstance(tree, list | tuple):
        return [item for each in tree if (item := fill_in(each, values)) != "" or each == ""]
    return fill(tree, values) if isinstance(tree, str) else tree


def _texts(tree: object) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, Mapping | list | tuple):
        for item in tree.values() if isinstance(tree, Mapping) else tree:
            yield from _texts(item)


def _expression(piece: str) -> re.Match[str]:
    found = _EXPRESSION.fullmatch(piece)
    if found is None:
        raise ValueError(_RULE)
    return found


def _names(expression: re.Match[str]) -> list[str]:
    if expression["days"]:
        return [DATE]
    return [name for name in (expression["name"] or expression["several"] or "").split(":") if name]


def _value(expression: re.Match[str], values: Mapping[str, str]) -> str:
    if missing := [name for name in _names(expression) if name not in values]:
        raise ValueError(f"{{{missing[0]}}} has no value")
    if expression["days"]:
        return (date.fromisoformat(values[DATE]) + timedelta(days=int(expression["days"]))).isoformat()
    if expression["name"]:
        return values[expression["name"]]
    joined = ":".join(values.get(name, "") for name in expression["several"].split(":"))
    return b64encode(joined.encode()).decode() if expression["function"] == "base64" else json.dumps(joined)[1:-1]

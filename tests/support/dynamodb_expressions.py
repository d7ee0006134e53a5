"""The expressions of DynamoDB that our requests use (Developer Guide, "Expressions"), on items in memory.

Anything else fails loudly. `test_memory_dynamodb.py` compares the results with those of moto.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

Item = Mapping[str, Any]
Values = Mapping[str, Any]
Test = Callable[[Item, Values], bool]
Operand = Callable[[Item, Values], Any]
Names = tuple[tuple[str, str], ...]

_TOKEN = re.compile(r"\s*([#:]?[\w.#]+|<=|>=|<>|[=<>(),])")
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda one, other: bool(one == other),
    "<": lambda one, other: bool(one < other),
    "<=": lambda one, other: bool(one <= other),
    ">": lambda one, other: bool(one > other),
    ">=": lambda one, other: bool(one >= other),
}


def holds(expression: str, item: Item, names: Mapping[str, str], values: Values) -> bool:
    """Tell whether a condition holds."""
    return _condition(expression, tuple(names.items()))(item, values)


def updated(expression: str, item: Item, names: Mapping[str, str], values: Values) -> dict[str, Any]:
    """Return what an update makes of an item."""
    new = dict(item)
    for verb, clause in re.findall(r"(SET|REMOVE|ADD) (.*?)(?= SET | REMOVE | ADD |$)", expression):
        for part in re.split(r",\s*(?![^(]*\))", clause):
            left, _, right = part.strip().partition(" = " if verb == "SET" else " ")
            name = names.get(left, left)
            match verb:
                case "SET":
                    new[name] = _value(right, item, names, values)
                case "REMOVE":
                    new.pop(name, None)
                case "ADD":
                    new[name] = _sum(item.get(name, {"N": "0"}), values[right])
    return new


def _value(text: str, item: Item, names: Mapping[str, str], values: Values) -> Any:
    if default := re.fullmatch(r"if_not_exists\((\S+), (:\w+)\)", text):
        return item.get(names.get(default[1], default[1]), values[default[2]])
    assert text.startswith(":"), f"not known: {text}"
    return values[text]


def _sum(one: Any, other: Any) -> dict[str, str]:
    total = _plain(one)[1] + _plain(other)[1]
    return {"N": repr(total)}


@cache
def _condition(expression: str, names: Names) -> Test:
    tokens = _TOKEN.findall(expression)
    assert "".join(tokens) == re.sub(r"\s", "", expression), f"not known: {expression}"
    test = _either(tokens, dict(names))
    assert not tokens, f"not known: {expression}"
    return test


def _either(tokens: list[str], names: dict[str, str]) -> Test:
    test = _both(tokens, names)
    while tokens and tokens[0] == "OR":
        tokens.pop(0)
        test = _any(test, _both(tokens, names))
    return test


def _both(tokens: list[str], names: dict[str, str]) -> Test:
    test = _one(tokens, names)
    while tokens and tokens[0] == "AND":
        tokens.pop(0)
        test = _all(test, _one(tokens, names))
    return test


def _any(one: Test, other: Test) -> Test:
    return lambda item, values: one(item, values) or other(item, values)


def _all(one: Test, other: Test) -> Test:
    return lambda item, values: one(item, values) and other(item, values)


def _one(tokens: list[str], names: dict[str, str]) -> Test:
    word = tokens.pop(0)
    if word == "NOT":
        negated = _one(tokens, names)
        return lambda item, values: not negated(item, values)
    if word == "(":
        test = _either(tokens, names)
        assert tokens.pop(0) == ")"
        return test
    if word in {"attribute_exists", "attribute_not_exists", "attribute_type"}:
        return _function(word, _arguments(tokens, names))
    left, comparison = _operand(word, names), tokens.pop(0)
    if comparison == "IN":
        listed = _arguments(tokens, names)
        return lambda item, values: left(item, values) in [each(item, values) for each in listed]
    right = _operand(tokens.pop(0), names)
    if comparison == "<>":
        return lambda item, values: left(item, values) != right(item, values)
    compare = _COMPARISONS[comparison]
    return lambda item, values: _compared(compare, left(item, values), right(item, values))


def _compared(compare: Callable[[Any, Any], bool], one: Any, other: Any) -> bool:
    if one is None or other is None:
        return False
    (kind, value), (other_kind, other_value) = one, other
    return kind == other_kind and compare(value, other_value)


def _function(word: str, arguments: list[Operand]) -> Test:
    if word == "attribute_type":
        kind = arguments[1]
        return lambda item, values: (arguments[0](item, values) or ("",))[0] == kind(item, values)[1]
    exists = word == "attribute_exists"
    return lambda item, values: (arguments[0](item, values) is not None) == exists


def _arguments(tokens: list[str], names: dict[str, str]) -> list[Operand]:
    assert tokens.pop(0) == "("
    found = []
    while True:
        found.append(_operand(tokens.pop(0), names))
        if tokens.pop(0) == ")":
            return found


def _operand(word: str, names: dict[str, str]) -> Operand:
    if word.startswith(":"):
        return lambda _, values: _plain(values[word])
    path = [names.get(step, step) for step in word.split(".")]

    def at_path(item: Item, _values: Values) -> Any:
        found: Any = item.get(path[0])
        for step in path[1:]:
            found = found.get("M", {}).get(step) if found else None
        return None if found is None else _plain(found)

    return at_path


def _plain(attribute: Any) -> tuple[str, Any]:
    ((kind, value),) = attribute.items()
    if kind != "N":
        return kind, value
    return kind, int(value) if value.lstrip("-").isdigit() else float(value)

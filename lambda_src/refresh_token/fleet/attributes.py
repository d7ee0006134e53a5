"""Attribute values of DynamoDB (API reference, `AttributeValue`). Pure."""

from collections.abc import Mapping
from typing import Any, Final, cast

Attribute = dict[str, Any]
"""A value with its type: `{"S": "text"}`."""

Item = Mapping[str, Any]

_MAX_DIGITS: Final = 38
"""The digits that a number has at most (Amazon DynamoDB Developer Guide, "Data types"); a Python float has 17."""

_SMALLEST: Final = 1e-130
_LARGEST: Final = 9.99e125


def encode(value: object) -> Attribute:
    """Return a value of JSON, or bytes, with its type. A number that DynamoDB cannot hold becomes its text."""
    attribute: Attribute
    match value:
        case None:
            attribute = {"NULL": True}
        case bool():
            attribute = {"BOOL": value}
        case int() | float():
            attribute = {"N" if _fits(value) else "S": repr(value)}
        case str():
            attribute = {"S": str(value)}  # not the member of an enum
        case bytes():
            attribute = {"B": value}
        case Mapping():
            attribute = {"M": {str(key): encode(each) for key, each in value.items()}}
        case list() | tuple():
            attribute = {"L": [encode(each) for each in value]}
        case _:
            raise TypeError(f"no attribute can hold a {type(value).__name__}")
    return attribute


def decode(attribute: Attribute) -> object:
    """Return the value of an attribute. Sets, which we never write, become lists."""
    ((kind, value),) = attribute.items()
    match kind:
        case "NULL":
            return None
        case "N":
            return _number(value)
        case "M":
            return {key: decode(each) for key, each in value.items()}
        case "L":
            return [decode(each) for each in value]
        case "B":
            return bytes(value)
        case _:
            return cast("object", value)


def decode_item(item: Item) -> dict[str, object]:
    """Return the values of an item's attributes."""
    return {name: decode(attribute) for name, attribute in item.items()}


def encode_item(values: Mapping[str, object]) -> dict[str, Attribute]:
    """Return an item with these values."""
    return {name: encode(value) for name, value in values.items()}


def _fits(number: float) -> bool:
    if isinstance(number, int):
        return len(str(abs(number))) <= _MAX_DIGITS
    return number == 0 or _SMALLEST <= abs(number) <= _LARGEST  # neither NaN nor infinity is


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)

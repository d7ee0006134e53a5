"""Requests of DynamoDB that change one item if a condition holds (API reference, UpdateItem). Pure.

A condition names attributes as `#name` and values as `:name`, so that no word is one of DynamoDB's reserved ones.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from refresh_token.fleet.attributes import encode
from refresh_token.fleet.table import PK

Request = dict[str, Any]
"""The arguments of a call, without `TableName`."""

_NAMES: Final = re.compile(r"#(\w+)")


class Condition(NamedTuple):
    """A condition, and the values in it."""

    text: str
    given: Mapping[str, object]

    def __and__(self, other: "Condition") -> "Condition":
        return Condition(f"{self.text} AND {other.text}", {**self.given, **other.given})


def update(
    name: str,
    condition: Condition,
    values: Mapping[str, object | None],
    *,
    returns: str = "NONE",
) -> Request:
    """Return an UpdateItem of a connection. An attribute whose value is None is removed.

    If the condition does not hold, the error has the item.
    """
    sets = {key: value for key, value in values.items() if value is not None}
    clauses = {
        "SET": ", ".join(f"#{key} = :new_{key}" for key in sets),
        "REMOVE": ", ".join(f"#{key}" for key in values if key not in sets),
    }
    expression = " ".join(f"{verb} {clause}" for verb, clause in clauses.items() if clause)
    arguments = {
        **{f":{key}": encode(value) for key, value in condition.given.items()},
        **{f":new_{key}": encode(value) for key, value in sets.items()},
    }
    return {
        "Key": {PK: encode(name)},
        "UpdateExpression": expression,
        "ConditionExpression": condition.text,
        "ExpressionAttributeNames": names_in(expression, condition.text),
        **({"ExpressionAttributeValues": arguments} if arguments else {}),
        "ReturnValues": returns,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def names_in(*expressions: str) -> dict[str, str]:
    """Return what the `#name` in these expressions stand for."""
    return {f"#{name}": name for expression in expressions for name in _NAMES.findall(expression)}


def equals(**values: object) -> Condition:
    """Return the condition that attributes have these values."""
    return Condition(" AND ".join(f"#{name} = :{name}" for name in values), values)


def is_in(attribute: str, words: Iterable[str]) -> Condition:
    """Return the condition that an attribute is one of some words."""
    listed = {f"{attribute}_{word}": word for word in words}
    return Condition(f"#{attribute} IN ({', '.join(f':{key}' for key in listed)})", listed)

"""The setting that names the providers of a fleet."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from token_refresher.profiles import IssuerName


class Named(dict[str, Mapping[str, Any]]):
    """The arguments of each issuer, by its name. As text it is the names alone."""

    def __str__(self) -> str:
        return ",".join(self)


@dataclass(frozen=True)
class ProviderList:
    """Names of issuers with commas between them, a list of them, or an object with the arguments of each."""

    def __str__(self) -> str:
        return (
            "must be names of issuers with commas between them, or a JSON object with the arguments of each, such as "
            '`{"linear": {}, "zendesk": {"params": {"subdomain": "acme"}}}`'
        )

    def read(self, value: object) -> Named:
        """Return the arguments of each issuer, by its name."""
        given = _parsed(value)
        named = list(given.items()) if isinstance(given, Mapping) else [(name, {}) for name in _list(given)]
        if not named or not all(isinstance(arguments, Mapping) for _, arguments in named):
            raise ValueError(str(self))
        names = [name for name, _ in named]
        if twice := [str(name) for name in names if names.count(name) > 1]:
            raise ValueError(f"must name each provider once, and {twice[0]} is there twice")
        for name in names:
            try:
                IssuerName().read(name)
            except ValueError as error:
                raise ValueError(f"{name} {error}") from None
        return Named(named)


def _parsed(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not value.lstrip().startswith(("{", "[")):
        return [name.strip() for name in value.split(",")]
    try:
        found: object = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return found


def _list(given: object) -> list[Any]:
    return given if isinstance(given, list) else []

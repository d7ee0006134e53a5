"""Reading a profile from TOML, or from the compact JSON that a deployment carries. All faults are reported at once."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from difflib import get_close_matches
from typing import Any, Final, get_type_hints

from refresh_token.oauth import profile_rules
from refresh_token.oauth.profile import CLIENTLESS, Client, Profile, SignIn
from refresh_token.oauth.profile_addresses import Addresses, Param
from refresh_token.oauth.profile_answers import Answer, Api, RefreshTokenLife, Refusals
from refresh_token.oauth.profile_checks import faults_of
from refresh_token.oauth.profile_requests import ExchangeRequest, Jwt, RefreshRequest, Request, RevokeRequest, Step
from refresh_token.oauth.profile_rules import Key

MAX_LENGTH: Final = 65_536
"""Characters of a profile's text."""

_MAX_SHOWN: Final = 60
_SECTIONS: Final[Mapping[str, type]] = {
    "address": Addresses,
    "client": Client,
    "sign_in": SignIn,
    "answer": Answer,
    "refresh_token": RefreshTokenLife,
    "refusals": Refusals,
    "api": Api,
    "revoke": RevokeRequest,
    "request": Request,
    "code": Request,
    "refresh": RefreshRequest,
    "exchange": ExchangeRequest,
    "jwt": Jwt,
}
_OPTIONAL: Final = ("exchange", "jwt")
_INHERITING: Final = ("code", "refresh")
"""Sections that add to `request`."""

_FOR_READERS: Final = ("rests_on", "checked", "sources", "notes")
"""Keys that only readers of the file need."""


class ProfileError(ValueError):
    """A profile that cannot be used. `faults` has a line for each fault: `key=value: rule`."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


def parse_profile(text: str, *, name: str | None = None, allow_http: bool = False) -> Profile:
    """Return the profile that a TOML text describes; `name` is the one that it must have.

    Raises:
        ProfileError: names every faulty key and its rule.

    """
    return _profile(_toml(text), name=name, allow_http=allow_http)


def to_compact_json(text: str) -> str:
    """Return a TOML text as JSON for `from_compact_json`, without what only readers need. It is not checked."""
    data = {key: value for key, value in _toml(text).items() if key not in _FOR_READERS}
    return json.dumps(data, separators=(",", ":"), default=str)


def from_compact_json(text: str, *, allow_http: bool = False) -> Profile:
    """Return the profile. Raises ProfileError as `parse_profile` does."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise ProfileError(["the profile is no JSON object"])
    return _profile(data, name=None, allow_http=allow_http)


def keys_of(section: type) -> dict[str, Key]:
    """Return the keys of a section by their names."""
    hints = get_type_hints(section, include_extras=True)
    return {name: key for name, hint in hints.items() for key in getattr(hint, "__metadata__", ())}


def _toml(text: str) -> dict[str, Any]:
    if len(text) > MAX_LENGTH:
        raise ProfileError([f"the file is longer than {MAX_LENGTH} characters"])
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        fault = str(error)
    except (RecursionError, ValueError):
        fault = "it is nested too deeply, or a number is too long"
    raise ProfileError([f"the file is not TOML: {fault}"])


def _profile(data: Mapping[str, Any], *, name: str | None, allow_http: bool) -> Profile:
    reader = _Reader()
    top = reader.values(Profile, data, "")
    sections = {key: reader.table(kind, data, key) for key, kind in _SECTIONS.items()}
    params = data.get("params", {})
    named = {key: reader.param(key, params[key]) for key in reader.names(params)}
    steps = [reader.step(index, step) for index, step in enumerate(reader.listed(data.get("steps", [])))]
    if name is not None and top.get("name") != name:
        reader.fault("name", data.get("name"), f"must be {name}, as the file is called")
    reader.check()
    if top["grant"] in CLIENTLESS:
        sections["client"] = {"auth": "off", **sections["client"]}
    for key in _INHERITING:
        sections[key] = _merged(sections["request"], sections[key])
    built = {key: kind(**sections[key]) for key, kind in _SECTIONS.items() if key not in _OPTIONAL or key in data}
    profile = Profile(
        **top,
        **built,
        params={key: Param(**values) for key, values in named.items()},
        steps=tuple(Step(**values) for values in steps),
    )
    if faults := list(faults_of(profile, allow_http=allow_http)):
        raise ProfileError(faults)
    return profile


def _merged(general: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return a section's values over the general ones; tables are merged."""
    tables = {key: {**general[key], **own[key]} for key in general.keys() & own.keys() if isinstance(own[key], dict)}
    return {**general, **own, **tables}


class _Reader:
    """Reads tables and collects their faults."""

    def __init__(self) -> None:
        self._faults: list[str] = []

    def check(self) -> None:
        """Raise ProfileError if anything is wrong."""
        if self._faults:
            raise ProfileError(self._faults)

    def fault(self, where: str, value: object, rule: str, *, hidden: bool = False) -> None:
        """Note a fault. A value that may hold a secret is not shown."""
        shown = value if isinstance(value, str) else json.dumps(value, default=str)
        hidden = hidden or len(shown) > _MAX_SHOWN or not shown.isprintable() or bool(set(shown) & set("?@"))
        self._faults.append(f"{where}={'…' if hidden else shown}: {rule}")

    def table(self, kind: type, data: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Return the values of a section; one that is missing has none."""
        return self.values(kind, data[key], f"{key}.") if key in data else {}

    def values(self, kind: type, table: object, where: str) -> dict[str, Any]:
        """Return the given values of a table by the rules of its keys."""
        if not isinstance(table, Mapping):
            self._faults.append(f"{where.rstrip('.')}: must be a table")
            return {}
        keys, found = keys_of(kind), {}
        known = [*keys, *(field.name for field in fields(kind))]
        for name, value in table.items():
            if name not in known:
                close = get_close_matches(name, known, 1)
                self._faults.append(f"{where}{name}: is no key{f'; is it {close[0]}?' if close else ''}")
            elif name in keys:
                try:
                    found[name] = keys[name].rule.read(value)
                except ValueError as error:
                    self.fault(f"{where}{name}", value, str(error), hidden=keys[name].hidden)
        missing = [
            each.name
            for each in fields(kind)
            if each.name in keys and each.default is MISSING and each.default_factory is MISSING
        ]
        self._faults += [f"{where}{name}: must be set" for name in missing if name not in table]
        return found

    def names(self, params: object) -> list[str]:
        """Return the names of the parameters."""
        if not isinstance(params, Mapping):
            self._faults.append("params: must be a table")
            return []
        for name in params:
            if not profile_rules.IDENTIFIER.test(name):
                self.fault("params", name, profile_rules.IDENTIFIER.rule)
        return list(params)

    def param(self, name: str, table: object) -> dict[str, Any]:
        """Return the values of a parameter."""
        return self.values(Param, table, f"params.{name}.")

    def listed(self, steps: object) -> list[object]:
        """Return the tables of the steps."""
        if not isinstance(steps, list):
            self._faults.append("steps: must be a list of tables, each written [[steps]]")
            return []
        return steps

    def step(self, index: int, table: object) -> dict[str, Any]:
        """Return the values of a step, counted from 0."""
        return self.values(Step, table, f"steps.{index + 1}.")

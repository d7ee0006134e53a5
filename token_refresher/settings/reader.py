"""Turns raw values, such as the CDK context, into typed values, and collects every fault on the way."""

import difflib
import re
from collections.abc import Mapping
from typing import Any

from refresh_token.oauth.rules import Rule, listed
from refresh_token.oauth.setting import Setting

_HIDDEN = re.compile("token|secret|password|key", re.IGNORECASE)
"""A word in the name of what is no setting, and whose value no message shows."""
_CREDENTIAL = re.compile(
    r"((app|figma|oauth2|amplify|issuer|client)\w*)?(secret|client_?id|client_?key|credential|password)s?",
    re.IGNORECASE | re.ASCII,
)
"""Names under which somebody may look for a setting of the app's credentials."""

_AT_DEPLOYMENT = re.compile(r"[$#]\{Token\[")
"""A token of the CDK, in text or in a list."""
_NUMBERS_AT_DEPLOYMENT = -1e288
"""Tokens of the CDK are below it, if they are numbers."""
_LOOKED_UP_LATER = "dummy-value-for-"
"""What `StringParameter.value_from_lookup` returns before the CDK CLI has looked the value up."""

_LOGIN = re.compile(r"//[^/]*@")
"""A user, and perhaps a password, in an address."""


def unknown(value: object) -> str | None:
    """Return why the synthesis cannot check a value, or None if it can."""
    if _AT_DEPLOYMENT.search(str(value)) or (isinstance(value, float) and value < _NUMBERS_AT_DEPLOYMENT):
        return "is known only at deployment, and the synthesis must check it. Give the value itself"
    if str(value).startswith(_LOOKED_UP_LATER):
        return "is not looked up yet. Give StringParameter.value_from_lookup a default_value that follows the rules"
    return None


class SettingsError(Exception):
    """One or more settings are wrong. `faults` has a line for each: key, value, rule."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class SettingsReader:
    """Reads raw values by the rules of their settings. Call `check` before you use what you read.

    `rules` replace the rules of some settings.
    """

    def __init__(
        self, settings: Mapping[str, Setting], given: Mapping[str, object], *, rules: Mapping[str, Rule] | None = None
    ) -> None:
        self._settings = settings
        self._raw = {name: setting.default for name, setting in settings.items()} | dict(given)
        self._rules = {name: setting.rule for name, setting in settings.items()} | dict(rules or {})
        self._faults: list[str] = []
        self._faulty: set[str] = set()

    def fault(self, key: str, rule: str) -> None:
        """Note that the value of `key` breaks `rule`."""
        value = self._raw.get(key)
        if self._settings[key].hidden and not self.absent(key):
            value = "..."
        if isinstance(value, str):
            value = _LOGIN.sub("//...@", value)
        self._faults.append(f"{key}={'' if value is None else value}: {rule}")
        self._faulty.add(key)

    def is_sound(self, *keys: str) -> bool:
        """Return whether none of `keys` has a fault so far."""
        return self._faulty.isdisjoint(keys)

    def default(self, key: str) -> object:
        """Return the default of a setting."""
        return self._settings[key].default

    def take_all(self) -> dict[str, Any]:
        """Return every setting's value: None after a fault, and for an optional setting that is absent."""
        return {key: self._take(key) for key in self._settings}

    def absent(self, key: str) -> bool:
        """Return whether the value is missing, null or, as `-c key=` passes it, empty."""
        return self._raw.get(key) in (None, "")

    def refuse_unknown_keys(self, block: Mapping[str, object], context: Mapping[str, object]) -> None:
        """Note the keys of `block` that are not settings, and the keys of `context` that are misspelt settings."""
        # Only we write the block. The CDK and its plug-ins write to the context too, so there only a key that looks
        # like a misspelt setting is a fault.
        for key, value in {**context, **block}.items():
            if _CREDENTIAL.fullmatch(key):
                self._faults.append(
                    f"{key}=...: is not a setting; store the app's credentials with `tokenctl app-credentials`"
                )
                continue
            near = difflib.get_close_matches(key, self._settings, n=1, cutoff=0.8) or self._without_unit(key)
            if key in self._settings or not (key in block or near):
                continue
            hint = f"did you mean {near[0]}?" if near else f"the keys are {listed(tuple(self._settings))}"
            shown = "..." if _HIDDEN.search(key) else value
            self._faults.append(f"{key}={shown}: is not a setting; {hint}")

    def _without_unit(self, key: str) -> list[str]:
        """Return the setting that `key` names without its unit, such as `refresh_margin`, in a list."""
        return [name for name in self._settings if "_" in key and name.rpartition("_")[0] == key]

    def check(self) -> None:
        """Raise if there are faults.

        Raises:
            SettingsError: has a line for each fault.

        """
        if self._faults:
            raise SettingsError(self._faults)

    def _take(self, key: str) -> Any:  # noqa: ANN401 - the rule knows
        if not self.is_sound(key) or (self._settings[key].default is None and self.absent(key)):
            return None
        if reason := unknown(self._raw[key]):
            self.fault(key, reason)
            return None
        try:
            return self._rules[key].read(self._raw[key])
        except ValueError as error:
            self.fault(key, str(error))
            return None

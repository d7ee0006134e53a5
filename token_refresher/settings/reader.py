"""Takes typed values out of raw ones, such as the CDK context, and notes every fault on the way."""

import difflib
import re
from collections.abc import Mapping
from typing import Any

from token_refresher.settings.rules import Rule, listed

_CREDENTIAL = re.compile(
    r"((app|figma|oauth2|amplify|client)\w*)?(secret|client_?id|client_?key|credential|password)s?",
    re.IGNORECASE | re.ASCII,
)
"""Where somebody would look for a setting of the app's credentials."""

_LOGIN = re.compile(r"//[^/]*@")
"""A user, and perhaps a password, in an address."""


class SettingsError(Exception):
    """One or more settings are wrong. `faults` has a line for each: key, value, rule."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class ContextReader:
    """Takes raw values one by one and notes what is wrong with them.

    The values of `hidden` keys are not shown: who gets such a one wrong may have put a secret there.
    """

    def __init__(self, raw: Mapping[str, object], *, keys: tuple[str, ...], hidden: tuple[str, ...] = ()) -> None:
        self._raw = raw
        self._keys = keys
        self._hidden = hidden
        self.faults: list[str] = []
        self._faulty: set[str] = set()

    def fault(self, key: str, rule: str) -> None:
        """Note that the value of `key` breaks `rule`."""
        value = self._raw.get(key)
        if key in self._hidden and not self.absent(key):
            value = "..."
        if isinstance(value, str):
            value = _LOGIN.sub("//...@", value)
        self.faults.append(f"{key}={'' if value is None else value}: {rule}")
        self._faulty.add(key)

    def is_sound(self, *keys: str) -> bool:
        """Return whether none of `keys` has a fault so far."""
        return self._faulty.isdisjoint(keys)

    def take(self, key: str, rule: Rule, *, optional: bool = False) -> Any:  # noqa: ANN401 - the rule knows
        """Return what the rule makes of the value; None after a fault, and where an optional key is absent."""
        if optional and self.absent(key):
            return None
        try:
            return rule.read(self._raw.get(key))
        except ValueError as error:
            self.fault(key, str(error))
            return None

    def absent(self, key: str) -> bool:
        """Return whether the key is missing, null or, as `-c key=` gives it, empty."""
        return self._raw.get(key) in (None, "")

    def refuse_unknown_keys(self, block: Mapping[str, object], context: Mapping[str, object]) -> None:
        """Note keys of `block` that are no settings, and keys of `context` that are misspelt ones."""
        # A block in cdk.json is ours alone. The context is shared with the CDK and its plug-ins, so there only
        # a key that looks like one of ours misspelt is refused.
        for key, value in {**context, **block}.items():
            if _CREDENTIAL.fullmatch(key):
                self.faults.append(
                    f"{key}=...: is no setting; an app's credentials go into a secret of their own, by "
                    "`tokenctl app-credentials`"
                )
                continue
            near = difflib.get_close_matches(key, self._keys, n=1, cutoff=0.8)
            if key in self._keys or not (key in block or near):
                continue
            hint = f"did you mean {near[0]}?" if near else f"the keys are {listed(self._keys)}"
            self.faults.append(f"{key}={value}: is no setting; {hint}")

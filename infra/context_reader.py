"""Takes typed values out of the CDK context and notes every fault on the way."""

import difflib
from collections.abc import Mapping
from typing import Any


class SettingsError(Exception):
    """One or more settings are wrong. `faults` has a line for each: key, value, rule."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class ContextReader:
    """Takes raw values one by one and notes what is wrong with them.

    After a fault the value returned is a stand-in of the right type, so that reading can go on to the next fault.
    """

    def __init__(self, raw: Mapping[str, object], *, keys: tuple[str, ...]) -> None:
        self._raw = raw
        self._keys = keys
        self.faults: list[str] = []
        self._faulty: set[str] = set()

    def fault(self, key: str, rule: str) -> None:
        """Note that the value of `key` breaks `rule`."""
        value = self._raw.get(key)
        self.faults.append(f"{key}={'' if value is None else value}: {rule}")
        self._faulty.add(key)

    def is_sound(self, *keys: str) -> bool:
        """Return whether none of `keys` has a fault so far."""
        return self._faulty.isdisjoint(keys)

    def refuse_unknown_keys(self, block: Mapping[str, object], context: Mapping[str, object]) -> None:
        """Note keys of `block` that are no settings, and keys of `context` that are misspelt ones."""
        # A block in cdk.json is ours alone. The context is shared with the CDK and its plug-ins, so there only
        # a key that looks like one of ours misspelt is refused.
        for key, value in {**context, **block}.items():
            near = difflib.get_close_matches(key, self._keys, n=1, cutoff=0.8)
            if key in self._keys or not (key in block or near):
                continue
            hint = f"did you mean {near[0]}?" if near else f"the keys are {listed(self._keys)}"
            self.faults.append(f"{key}={value}: is no setting; {hint}")

    def text(self, key: str) -> str:
        """Take a text that is not empty."""
        value = self._raw.get(key)
        if isinstance(value, str) and value:
            return value
        self.fault(key, "must be a text that is not empty")
        return ""

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        """Take one of some words."""
        if self._raw.get(key) not in choices:
            self.fault(key, f"must be {listed(choices)}")
        return str(self._raw.get(key))

    def integer(self, key: str, low: int, high: int, unit: str = "") -> int:
        """Take a whole number, or its digits, from `low` to `high`; `unit` completes the rule."""
        number = self._whole_number(key)
        if number is None or not low <= number <= high:
            self.fault(key, f"must be a whole number from {low} to {high}{' ' + unit if unit else ''}")
            return low
        return number

    def one_of(self, key: str, numbers: tuple[int, ...], source: str) -> int:
        """Take one of some numbers; `source` says who decides which."""
        number = self._whole_number(key)
        if number is None or number not in numbers:
            self.fault(key, f"must be {listed(tuple(map(str, numbers)))}, {source}")
            return numbers[0]
        return number

    def optional_integer(self, key: str, low: int, high: int) -> int | None:
        """Take a whole number, or None where the key is absent."""
        return None if self.absent(key) else self.integer(key, low, high)

    def absent(self, key: str) -> bool:
        """Return whether the key is missing, null or, as `-c key=` gives it, empty."""
        return self._raw.get(key) in (None, "")

    def _whole_number(self, key: str) -> int | None:
        value = self._raw.get(key)
        if isinstance(value, str) and value.isascii() and value.isdigit():
            return int(value)
        return value if isinstance(value, int) and not isinstance(value, bool) else None


def listed(choices: tuple[Any, ...]) -> str:
    """Return `a, b or c`."""
    return ", ".join(choices[:-1]) + (" or " if choices[:-1] else "") + str(choices[-1])

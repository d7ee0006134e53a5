"""Reading the function's environment variables, which the stack sets. All faults are reported at once.

This module is beside the others because all of them read variables with it: `settings` those of the function, which are
named here, and `oauth.variables` those of an issuer.
"""

from collections.abc import Mapping
from typing import Final

from refresh_token.errors import ConfigurationException

ISSUER: Final = "ISSUER"
STATIC: Final = "static"
"""The value of ISSUER if a person renews the token, so that there is no issuer."""

ISSUER_GRANT: Final = "ISSUER_GRANT"
"""How the issuer of a profile renews a token, if not with a refresh token."""

SECRET_ARN: Final = "SECRET_ARN"  # noqa: S105 - the name of a variable
LOCK_TABLE: Final = "LOCK_TABLE"
ADVISORY_WINDOW: Final = "ADVISORY_WINDOW_SECONDS"
MANDATORY_WINDOW: Final = "MANDATORY_WINDOW_SECONDS"

EVENT_BUS: Final = "EVENT_BUS"
"""The name or ARN of the bus that is told of changes of a connection's state. If it is not set, none is."""

CONNECTIONS_TABLE: Final = "CONNECTIONS_TABLE"
"""The table of the stack's fleet, if it has one."""

SERVICE_NAME: Final = "POWERTOOLS_SERVICE_NAME"
"""What metrics, log lines and events are about: the stack's name."""

REFRESH_MARGIN: Final = "REFRESH_MARGIN_SECONDS"
REFRESH_POLICY: Final = "REFRESH_POLICY"
GRANT_IDLE: Final = "GRANT_IDLE_DAYS"
GRANT_ABSOLUTE: Final = "GRANT_ABSOLUTE_DAYS"

_MAX_NUMBER: Final = 999_999_999
"""The largest number that is read: as seconds, 31 years."""


class EnvironmentReader:
    """Reads variables and collects their faults. Call `check` before you use what you read."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._faults: list[str] = []

    def text(self, name: str, default: str | None = None) -> str:
        """Return a variable's text. Without a default it must be set."""
        text = self._variables.get(name, "") or default
        if text is None:
            self.fault(f"{name} must be set")
        return text or ""

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """Return one of `choices`; the first is the default."""
        word = self.text(name, choices[0])
        if word not in choices:
            self.fault(f"{name} must be one of {', '.join(choices)}")
        return word

    def number(self, name: str, default: int | None = None, *, maximum: int = _MAX_NUMBER) -> int:
        """Return a positive whole number of at most `maximum`, 0 if it is wrong. Without a default it must be set."""
        text = self._variables.get(name, "")
        if not text and default is not None:
            return default
        few = len(text) <= len(str(_MAX_NUMBER))  # int() of a long text is slow
        number = int(text) if few and text.isascii() and text.isdigit() else 0
        if 0 < number <= maximum:
            return number
        self.fault(f"{name} must be a positive whole number of at most {maximum}")
        return 0

    def fault(self, rule: str) -> None:
        """Note a broken rule, which starts with the variable's name and shows no value."""
        self._faults.append(rule)

    @property
    def faults(self) -> tuple[str, ...]:
        """The rules that are broken so far."""
        return tuple(self._faults)

    def check(self) -> None:
        """Raise if anything that was read is wrong.

        Raises:
            ConfigurationException: names every faulty variable and its rule.

        """
        if self._faults:
            raise wrong_environment("; ".join(self._faults))


def wrong_environment(rules: str) -> ConfigurationException:
    """Return the error for variables that break these rules."""
    return ConfigurationException(
        f"The function's environment is wrong: {rules}. Run tokenctl doctor: it shows the command that sets it."
    )

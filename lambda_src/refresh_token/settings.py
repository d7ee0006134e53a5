"""The function's settings, read from its environment. All faults are reported at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from refresh_token.errors import ConfigurationException
from refresh_token.windows import WindowSettings

MAX_DIGITS: Final = 9
"""Of a number of seconds: 31 years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the stack tells the function: the secret's ARN, the lock table's name, and the windows."""

    secret_arn: str
    lock_table: str
    windows: WindowSettings

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read SECRET_ARN, LOCK_TABLE, ADVISORY_WINDOW_SECONDS and MANDATORY_WINDOW_SECONDS.

        Raises:
            ConfigurationException: a variable is missing or wrong; the message names each such variable and its rule.

        """
        faults: list[str] = []
        texts = {name: environment.get(name, "") for name in ("SECRET_ARN", "LOCK_TABLE")}
        faults += [f"{name} must be set" for name, text in texts.items() if not text]
        seconds = {
            name: _whole_number(environment.get(name, ""))
            for name in ("ADVISORY_WINDOW_SECONDS", "MANDATORY_WINDOW_SECONDS")
        }
        faults += [f"{name} must be a positive whole number" for name, number in seconds.items() if not number]
        advisory, mandatory = seconds.values()
        if advisory and mandatory and mandatory >= advisory:
            faults.append("MANDATORY_WINDOW_SECONDS must be less than ADVISORY_WINDOW_SECONDS")
        if faults:
            raise ConfigurationException(
                f"The function's environment is wrong: {'; '.join(faults)}. Deploy the stack again to set it."
            )
        return cls(
            secret_arn=texts["SECRET_ARN"],
            lock_table=texts["LOCK_TABLE"],
            windows=WindowSettings(advisory=timedelta(seconds=advisory), mandatory=timedelta(seconds=mandatory)),
        )


def _whole_number(text: str) -> int:
    """Return the number, or 0 if the text is not a whole number of at most MAX_DIGITS digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else 0

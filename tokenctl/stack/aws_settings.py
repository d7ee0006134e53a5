"""The settings that the AWS CLI v2 checks before it sends anything, in the environment or in the AWS configuration."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tokenctl.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class AwsSetting:
    """One key of the configuration file, and the variable that overrides it."""

    key: str
    variable: str | None = None
    accepts: Callable[[str], bool]
    rule: str

    def check(self, profile: Mapping[str, object]) -> None:
        """Raise ConfigurationError if the setting has a value that the AWS CLI refuses; an empty one is a value."""
        by_variable = None if self.variable is None else os.environ.get(self.variable)
        value = profile.get(self.key) if by_variable is None else by_variable
        if value is not None and not (isinstance(value, str) and self.accepts(value)):
            place = f"`{self.key}` in your AWS configuration" if by_variable is None else self.variable
            raise ConfigurationError(f"{place} must be {self.rule}. Correct it, or remove it.")


def _is_number(text: str, *, minimum: int | None = None) -> bool:
    try:
        number = int(text)
    except ValueError:
        return False
    return minimum is None or number >= minimum


def _one_of(*words: str) -> Callable[[str], bool]:
    return lambda text: text in words


_SETTINGS: Final = (
    AwsSetting(
        key="max_attempts",
        variable="AWS_MAX_ATTEMPTS",
        accepts=lambda text: _is_number(text, minimum=1),
        rule="a whole number of at least 1",
    ),
    AwsSetting(
        key="retry_mode",
        variable="AWS_RETRY_MODE",
        accepts=_one_of("standard", "adaptive"),
        rule="standard or adaptive",
    ),
    *(
        AwsSetting(key=key, variable=f"AWS_{key.upper()}", accepts=_is_number, rule="a whole number")
        for key in ("metadata_service_timeout", "metadata_service_num_attempts")
    ),
    AwsSetting(key="cli_timestamp_format", accepts=_one_of("wire", "iso8601"), rule="wire or iso8601"),
    AwsSetting(
        key="cli_binary_format",
        accepts=_one_of("base64", "raw-in-base64-out"),
        rule="base64 or raw-in-base64-out",
    ),
)


def require_valid_settings(profile: Mapping[str, object]) -> None:
    """Raise ConfigurationError if a setting is one that the AWS CLI v2 refuses; `profile` holds those of the files."""
    for setting in _SETTINGS:
        setting.check(profile)

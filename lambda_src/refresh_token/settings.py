"""The function's settings, read from its environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from refresh_token.core.windows import WindowSettings
from refresh_token.environment import ADVISORY_WINDOW, LOCK_TABLE, MANDATORY_WINDOW, SECRET_ARN, EnvironmentReader


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
        reader = EnvironmentReader(environment)
        secret_arn, lock_table = reader.text(SECRET_ARN), reader.text(LOCK_TABLE)
        advisory, mandatory = reader.seconds(ADVISORY_WINDOW), reader.seconds(MANDATORY_WINDOW)
        if advisory and mandatory >= advisory:
            reader.fault(f"{MANDATORY_WINDOW} must be less than {ADVISORY_WINDOW}")
        reader.check()
        windows = WindowSettings(advisory=timedelta(seconds=advisory), mandatory=timedelta(seconds=mandatory))
        return cls(secret_arn=secret_arn, lock_table=lock_table, windows=windows)

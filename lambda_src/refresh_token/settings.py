"""The function's environment as a frozen value; all faults are reported at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from refresh_token.errors import ConfigurationException
from refresh_token.windows import WindowSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the stack tells the function: secret ARN, lock table name, windows, and which issuer refreshes."""

    secret_arn: str
    lock_table: str
    windows: WindowSettings
    issuer: str = "amplify"
    """Its name. Whether there is such an issuer, and what else it needs, the issuers know."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read SECRET_ARN, LOCK_TABLE, ADVISORY_WINDOW_SECONDS, MANDATORY_WINDOW_SECONDS and, if it is set, ISSUER.

        Raises:
            ConfigurationException: names every variable at fault and its rule.

        """
        faults: list[str] = []
        texts = {name: environment.get(name, "") for name in ("SECRET_ARN", "LOCK_TABLE")}
        faults += [f"{name} must be set" for name, text in texts.items() if not text]
        seconds = {
            name: _whole(environment.get(name, "")) for name in ("ADVISORY_WINDOW_SECONDS", "MANDATORY_WINDOW_SECONDS")
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
            issuer=environment.get("ISSUER") or "amplify",
        )


def _whole(text: str) -> int:
    """Return the number, or 0 for what is no whole number of at most nine digits (31 years in seconds)."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004 - see above

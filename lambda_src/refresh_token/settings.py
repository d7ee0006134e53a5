"""The function's settings, read from its environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from refresh_token.core.grant_life import MAX_DAYS, GrantLife
from refresh_token.core.grants import GRANTS, SPENDS
from refresh_token.core.refresh_policy import POLICIES
from refresh_token.core.token_pair import PROVIDER
from refresh_token.core.windows import MAX_LIFETIME, WindowSettings
from refresh_token.environment import (
    ADVISORY_WINDOW,
    GRANT_ABSOLUTE,
    GRANT_IDLE,
    ISSUER,
    ISSUER_GRANT,
    LOCK_TABLE,
    MANDATORY_WINDOW,
    REFRESH_MARGIN,
    REFRESH_POLICY,
    SECRET_ARN,
    STATIC,
    EnvironmentReader,
)

if TYPE_CHECKING:
    from refresh_token.core.grants import Spends

_NO_PROFILES: Final = ("", "amplify", "figma", "oauth2", STATIC)
"""Values of ISSUER that name no profile."""


def provider_in(environment: Mapping[str, str]) -> str:
    """Return the name of the provider whose tokens the function keeps alive: that of its profile, if it has one."""
    issuer = environment.get(ISSUER, "")
    return PROVIDER if issuer in _NO_PROFILES else issuer


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the stack tells the function."""

    secret_arn: str
    lock_table: str
    windows: WindowSettings
    policy: str
    """One of `refresh_policy.POLICIES`."""

    grant_life: GrantLife
    provider: str
    """Whose tokens these are: the name of the profile, `figma` if there is none."""

    grant: str
    """One of `grants.GRANTS`."""

    @property
    def static(self) -> bool:
        """Whether a person renews the token, so that there is no issuer."""
        return self.grant == STATIC

    @property
    def spends(self) -> "Spends":
        """Which token of the pair a refresh sends, if there are refreshes."""
        return SPENDS.get(self.grant, "refresh_token")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the variables that `environment` names. The margin, the policy and the grant's life are optional.

        Raises:
            ConfigurationException: a variable is missing or wrong; the message names each such variable and its rule.

        """
        reader = EnvironmentReader(environment)
        secret_arn, lock_table = reader.text(SECRET_ARN), reader.text(LOCK_TABLE)
        advisory, mandatory = reader.number(ADVISORY_WINDOW), reader.number(MANDATORY_WINDOW)
        margin = reader.number(REFRESH_MARGIN, 0, maximum=int(MAX_LIFETIME.total_seconds()))
        policy, grant = reader.choice(REFRESH_POLICY, POLICIES), reader.choice(ISSUER_GRANT, GRANTS)
        idle, absolute = (reader.number(name, 0, maximum=MAX_DAYS) for name in (GRANT_IDLE, GRANT_ABSOLUTE))
        if advisory and mandatory >= advisory:
            reader.fault(f"{MANDATORY_WINDOW} must be less than {ADVISORY_WINDOW}")
        reader.check()
        life = GrantLife.of_days(idle=idle, absolute=absolute)
        return cls(
            secret_arn=secret_arn,
            lock_table=lock_table,
            windows=WindowSettings(
                advisory=timedelta(seconds=advisory),
                mandatory=timedelta(seconds=mandatory),
                margin=timedelta(seconds=margin),
            ),
            policy=policy,
            provider=provider_in(environment),
            grant=STATIC if reader.text(ISSUER, "") == STATIC else grant,
            # Without a sign-in, there is no grant that could end.
            grant_life=GrantLife() if SPENDS.get(grant) == "nothing" else life,
        )

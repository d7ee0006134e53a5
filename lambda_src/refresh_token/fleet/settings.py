"""The settings of a fleet's functions, read from their environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self

from refresh_token.core.grant_life import MAX_DAYS
from refresh_token.environment import (
    ADVISORY_WINDOW,
    CONNECTIONS_TABLE,
    EVENT_BUS,
    MANDATORY_WINDOW,
    EnvironmentReader,
)
from refresh_token.fleet.due import POLICIES
from refresh_token.fleet.providers import Provider, Timing, read_providers

CONNECTIONS_KEY: Final = "CONNECTIONS_KEY"
"""The ARN of the KMS key of the table, which encrypts the tokens as well."""

CONNECTIONS_QUEUE_URL: Final = "CONNECTIONS_QUEUE_URL"
PROVIDERS: Final = "PROVIDERS"
"""A JSON object with the issuer's variables of each provider, among them APP_SECRET_ARN and the grant's life."""

REFRESHES_PER_SECOND: Final = "REFRESHES_PER_SECOND"
CONNECTION_POLICY: Final = "CONNECTION_POLICY"
IDLE_REFRESH_DAYS: Final = "IDLE_REFRESH_DAYS"
SEAL_ACCESS_TOKENS: Final = "SEAL_ACCESS_TOKENS"
DEFAULT_REFRESHES_PER_SECOND: Final = 10
MAX_REFRESHES_PER_SECOND: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetSettings:
    """What the stack tells the functions of a fleet. The queue is known to the dispatcher only."""

    table: str
    key_arn: str
    queue_url: str
    providers: Mapping[str, Provider]
    mandatory: timedelta
    refreshes_per_second: int
    """The limit of each provider."""

    policy: str
    """One of `due.POLICIES`. A connection may have its own."""

    seal_access_tokens: bool
    event_bus: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the variables.

        Raises:
            ConfigurationException: a variable is missing or wrong; the message names each such variable and its rule.

        """
        reader = EnvironmentReader(environment)
        advisory, mandatory = reader.number(ADVISORY_WINDOW), reader.number(MANDATORY_WINDOW)
        if advisory and mandatory >= advisory:
            reader.fault(f"{MANDATORY_WINDOW} must be less than {ADVISORY_WINDOW}")
        idle = reader.number(IDLE_REFRESH_DAYS, 0, maximum=MAX_DAYS)
        timing = Timing(
            advisory=timedelta(seconds=advisory),
            mandatory=timedelta(seconds=mandatory),
            refresh_after=timedelta(days=idle) or None,
        )
        settings = cls(
            table=reader.text(CONNECTIONS_TABLE),
            key_arn=reader.text(CONNECTIONS_KEY, ""),
            queue_url=reader.text(CONNECTIONS_QUEUE_URL, ""),
            providers=read_providers(PROVIDERS, reader, timing),
            mandatory=timing.mandatory,
            refreshes_per_second=reader.number(
                REFRESHES_PER_SECOND, DEFAULT_REFRESHES_PER_SECOND, maximum=MAX_REFRESHES_PER_SECOND
            ),
            policy=reader.choice(CONNECTION_POLICY, POLICIES),
            seal_access_tokens=reader.choice(SEAL_ACCESS_TOKENS, ("false", "true")) == "true",
            event_bus=reader.text(EVENT_BUS, ""),
        )
        reader.check()
        return settings

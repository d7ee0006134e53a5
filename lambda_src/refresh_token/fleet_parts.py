"""What the entry points of a fleet put together alike: settings, connections, events, and the use case of consumers."""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from random import SystemRandom
from typing import TYPE_CHECKING, Final

from refresh_token.adapters.connection_table import ConnectionTable, reading_client
from refresh_token.adapters.fleet_connections import FleetConnections, issuer_cache
from refresh_token.adapters.refreshing import refresher_for
from refresh_token.adapters.sealing import KmsSeal
from refresh_token.adapters.state_events import StateEvents
from refresh_token.core.token_pair import PROVIDER
from refresh_token.environment import EVENT_BUS, ISSUER, SECRET_ARN, SERVICE_NAME
from refresh_token.fleet.ask import Ask, Found
from refresh_token.fleet.settings import PROVIDERS, FleetSettings

if TYPE_CHECKING:
    from refresh_token.adapters.telemetry import PowertoolsTelemetry
    from refresh_token.core.ports import Clock, Issuer
    from refresh_token.core.process_memory import ProcessMemory

_UI_BUILDER: Final = ("", "amplify")
"""Values of ISSUER for Amplify UI Builder, whose tokens are Figma's. Every other one is the name of the provider."""


@cache
def fleet_settings() -> FleetSettings:
    """Return the settings of the process. The single secret's function knows one provider, whose variables are its own.

    Raises:
        ConfigurationException: a variable is missing or wrong.

    """
    environment = dict(os.environ)
    if SECRET_ARN in environment:
        issuer = environment.get(ISSUER, "")
        environment[PROVIDERS] = json.dumps({PROVIDER if issuer in _UI_BUILDER else issuer: environment})
    return FleetSettings.from_environment(environment)


@cache
def state_events(telemetry: "PowertoolsTelemetry") -> StateEvents:
    """Return where changes of states are told. Without an event bus, nobody is told."""
    service = os.environ.get(SERVICE_NAME, "")
    return StateEvents(os.environ.get(EVENT_BUS, ""), service, telemetry.events_not_sent)


@cache
def fleet_connections(telemetry: "PowertoolsTelemetry", *, attempts: int | None = None) -> FleetConnections:
    """Return what reads connections. `issuer_cache` has the attempts. Raises what `fleet_settings` does."""
    settings = fleet_settings()
    return FleetConnections(
        settings=settings,
        table=ConnectionTable(settings.table, reading_client()),
        seal=KmsSeal(settings.key_arn),
        issuer_for=issuer_cache(_make_issuer, attempts=attempts),
        changes=state_events(telemetry),
        now=lambda: datetime.now(UTC),
        jitter=SystemRandom().random,  # with SnapStart, `random.random` would return the same everywhere
    )


def ask_of(telemetry: "PowertoolsTelemetry", *, clock: "Clock", memory: "ProcessMemory") -> Ask:
    """Return the use case of consumers, for one invocation. Raises what `fleet_settings` does."""
    connections = fleet_connections(telemetry)

    def find(name: str, *, force: bool) -> Found:
        opened = connections.open(name, force=force)
        return Found(opened.connection, opened.record.provider)

    return Ask(
        find=find,
        refresher_for=lambda connection: refresher_for(connection, clock=clock, telemetry=telemetry, memory=memory),
        providers=fleet_settings().providers,
    )


def _make_issuer(variables: Mapping[str, str]) -> "Issuer":
    from refresh_token.issuers.registry import issuer_from  # noqa: PLC0415 - reading a token needs no issuer

    return issuer_from(variables)

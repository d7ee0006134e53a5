"""The Lambda entry point and composition root. It holds no logic.

Every invocation needs the Secrets Manager client, so init makes it. What only a refresh needs (issuer, lock and
`refresh_once`) is imported on the first refresh, so an invocation that only reads never pays for it.

Everything that init makes lives as long as the process. Garbage collections during init find nothing to free and take
8 % of a cold start, so the collector starts after init and ignores what init made (`gc.freeze`).
"""

import gc

gc.disable()

import os
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Final

from refresh_token.adapters.lambda_clock import LambdaClock, LambdaContext
from refresh_token.adapters.refreshing import refresher_for
from refresh_token.adapters.secrets_manager import secrets_manager_client, secrets_manager_writer
from refresh_token.adapters.telemetry import PowertoolsTelemetry
from refresh_token.adapters.token_store import SecretsManagerStore
from refresh_token.answers import Answer, answer_of
from refresh_token.core.connections import Connection
from refresh_token.core.process_memory import ProcessMemory
from refresh_token.core.refresher import Refresher
from refresh_token.core.results import BareToken, LiveToken, TickReport
from refresh_token.core.secret_format import parser_for
from refresh_token.environment import CONNECTIONS_TABLE, EVENT_BUS, SERVICE_NAME
from refresh_token.errors import ConfigurationException, SecretMalformedException, SecretNotSeededException
from refresh_token.events import AskToken, Exchange, Force, ReportFailure, Request, Tick, parse_event
from refresh_token.settings import Settings, provider_in

if TYPE_CHECKING:
    from refresh_token.adapters.state_watch import StateWatch
    from refresh_token.core.claims import RefreshLock
    from refresh_token.core.ports import Issuer
    from refresh_token.core.static_token import StaticToken

TELEMETRY: Final = PowertoolsTelemetry()
MEMORY: Final = ProcessMemory()


def lambda_handler(event: object, context: LambdaContext) -> Answer:
    """Answer an event.

    Raises:
        RefreshTokenError: the request failed; the class name is the ``errorType`` that the caller sees.

    """
    with TELEMETRY.invocation(context.aws_request_id):
        request = parse_event(event, provider_in(os.environ))
        if isinstance(request, Tick):
            TELEMETRY.ticked(request.event_id)
        connection, clock, watch = _connection(), LambdaClock(context), _watch()
        make_service = _static_token if connection.static else _refresher
        try:
            result = _serve(request, make_service(connection, clock))
            if watch and isinstance(result, TickReport):
                watch.ticked(connection, degraded=result.outcome == "degraded")
            return answer_of(result)
        except (SecretMalformedException, SecretNotSeededException) as error:
            moved = isinstance(error, SecretNotSeededException) or error.moved_to is not None
            if not (moved and os.environ.get(CONNECTIONS_TABLE)):
                raise
            fault = error
        finally:
            if watch:
                watch.send(seconds=clock.remaining())
        from refresh_token.beside_fleet import answer_beside_fleet  # noqa: PLC0415 - nearly every secret holds a pair

        return answer_beside_fleet(fault, request, telemetry=TELEMETRY, clock=clock, memory=MEMORY)


def _serve(request: Request, service: "Refresher | StaticToken") -> LiveToken | BareToken | TickReport:
    match request:
        case AskToken():
            return service.live_token()
        case ReportFailure(version_id):
            return service.report_failure(version_id)
        case Force():
            return service.force()
        case Exchange(token, client_id):
            return service.exchange(token, client_id)
        case Tick():
            return service.tick()


def _static_token(connection: Connection, clock: LambdaClock) -> "StaticToken":
    from refresh_token.core.static_token import StaticToken  # noqa: PLC0415 - other issuers need none

    return StaticToken(connection=connection, clock=clock, telemetry=TELEMETRY)


def _refresher(connection: Connection, clock: LambdaClock) -> Refresher:
    return refresher_for(connection, clock=clock, telemetry=TELEMETRY, memory=MEMORY)


@cache
def _watch() -> "StateWatch | None":
    """Return what tells an event bus about the connection, None if there is no bus."""
    if not (bus := os.environ.get(EVENT_BUS)):
        return None
    from refresh_token.adapters.state_events import StateEvents  # noqa: PLC0415 - most stacks have no bus
    from refresh_token.adapters.state_watch import StateWatch  # noqa: PLC0415 - as above

    events = StateEvents(bus, os.environ.get(SERVICE_NAME, ""), TELEMETRY.events_not_sent)
    return StateWatch(provider_in(os.environ), events)


@cache
def _connection() -> Connection:
    """Return the connection of the single secret, which has no name."""
    settings, watch = Settings.from_environment(os.environ), _watch()

    def make_issuer() -> "Issuer":
        from refresh_token.issuers.registry import issuer_from  # noqa: PLC0415 - see the module's docstring

        return issuer_from(os.environ)

    def make_lock() -> "RefreshLock":
        from refresh_token.adapters.idempotency_lock import (  # noqa: PLC0415 - see the module's docstring
            IdempotencyLock,
            dynamodb_client,
        )

        if watch:
            from refresh_token.adapters.watched_lock import WatchedLock  # noqa: PLC0415 - most stacks have no bus

            return WatchedLock(settings.lock_table, settings.secret_arn, dynamodb_client(), watch.moved)
        return IdempotencyLock(settings.lock_table, settings.secret_arn, dynamodb_client())

    def make_store() -> SecretsManagerStore:
        parse = parser_for(settings.grant, settings.provider)
        given = settings.secret_arn, secrets_manager_client(), secrets_manager_writer, parse
        if watch:
            from refresh_token.adapters.watched_store import WatchedStore  # noqa: PLC0415 - most stacks have no bus

            return WatchedStore(*given, watch.seen)
        return SecretsManagerStore(*given)

    return Connection(
        name=None,
        store=make_store(),
        windows=settings.windows,
        policy=settings.policy,
        grant_life=settings.grant_life,
        make_lock=make_lock,
        make_issuer=make_issuer,
        static=settings.static,
    )


# A wrong environment does not fail the init: each invocation reports it, as a ConfigurationException.
with suppress(ConfigurationException):
    _connection()

gc.freeze()
gc.enable()

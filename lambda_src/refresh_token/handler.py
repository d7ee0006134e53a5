"""The Lambda entry and the composition root. No logic.

The Secrets Manager client is made at init, which every invocation needs. The issuer and the lock are imported and made
on the first refresh: an invocation that only reads never pays for them.

What init makes lives as long as the process does. To look through it for garbage, again and again while it grows, takes
8 % of a cold start; so the collector starts after it, and leaves it alone (`gc.freeze`) from then on.
"""

import gc

gc.disable()

import os
import random
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from typing import Final, Protocol
from uuid import uuid4

from refresh_token.adapters.secrets_manager import (
    SecretsManagerStore,
    secrets_manager_client,
    secrets_manager_writer,
)
from refresh_token.answers import Answer, answer_of
from refresh_token.errors import ConfigurationException
from refresh_token.events import AskToken, Exchange, Force, ReportFailure, Request, Tick, parse_event
from refresh_token.ports import Issuer, RefreshLock
from refresh_token.refresh_once import RefreshOnce
from refresh_token.refresher import Refresher
from refresh_token.results import BareToken, LiveToken, TickReport
from refresh_token.settings import Settings
from refresh_token.telemetry import PowertoolsTelemetry

TELEMETRY = PowertoolsTelemetry()
DEAD: Final[set[str]] = set()
"""The versions that this process knows to be dead: see `RefreshOnce`."""


class LambdaContext(Protocol):
    """The part of the Lambda context that is used."""

    @property
    def aws_request_id(self) -> str:
        """Return Lambda's id of this invocation."""
        ...

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left before Lambda ends this invocation."""
        ...


class LambdaClock:
    """The Clock port: the machine's time, and what Lambda leaves of this invocation."""

    def __init__(self, context: LambdaContext) -> None:
        self._context = context

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def remaining(self) -> float:
        """Return the seconds that are left of this invocation."""
        return self._context.get_remaining_time_in_millis() / 1000


def lambda_handler(event: object, context: LambdaContext) -> Answer:
    """Serve an event of contract 1; raises the errors of contract 2."""
    with TELEMETRY.invocation(context):
        request = parse_event(event)
        return answer_of(_serve(request, _refresher(LambdaClock(context))))


def _serve(request: Request, refresher: Refresher) -> LiveToken | BareToken | TickReport:
    match request:
        case AskToken():
            return refresher.live_token()
        case ReportFailure(version_id):
            return refresher.report_failure(version_id)
        case Force():
            return refresher.force()
        case Exchange(token, client_id):
            return refresher.exchange(token, client_id)
        case Tick(event_id):
            TELEMETRY.ticked(event_id)
            return refresher.tick()


def _refresher(clock: LambdaClock) -> Refresher:
    settings, store = _settings(), _store()

    def once() -> RefreshOnce:
        return RefreshOnce(
            store=store,
            issuer=_issuer(),
            lock=_lock(),
            clock=clock,
            telemetry=TELEMETRY,
            new_version_id=lambda: str(uuid4()),
            jitter=random.SystemRandom().random,  # with SnapStart, `random.random` would be the same everywhere
            dead=DEAD,
        )

    return Refresher(
        store=store,
        clock=clock,
        telemetry=TELEMETRY,
        windows=settings.windows,
        issuer=_issuer,
        once=once,
        dead=DEAD,
    )


@cache
def _settings() -> Settings:
    return Settings.from_environment(os.environ)


@cache
def _store() -> SecretsManagerStore:
    return SecretsManagerStore(_settings().secret_arn, secrets_manager_client(), secrets_manager_writer)


@cache
def _issuer() -> Issuer:
    from refresh_token.issuers.ui_builder import UiBuilderIssuer  # noqa: PLC0415 - see the module's docstring

    return UiBuilderIssuer()


@cache
def _lock() -> RefreshLock:
    from refresh_token.adapters.idempotency_lock import (  # noqa: PLC0415 - see the module's docstring
        IdempotencyLock,
        dynamodb_client,
    )

    return IdempotencyLock(_settings().lock_table, _settings().secret_arn, dynamodb_client())


# A wrong environment is reported by the first invocation, as the error of contract 2 that it is.
with suppress(ConfigurationException):
    _store()

gc.freeze()
gc.enable()

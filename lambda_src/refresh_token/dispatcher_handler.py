"""The Lambda entry point of a fleet's dispatcher, which a schedule calls once a minute. It holds no logic."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Final

from refresh_token.adapters.brake_records import BrakeRecords
from refresh_token.adapters.due_index import TableIndex
from refresh_token.adapters.fleet_calls import THREADS, queue_client, table_client
from refresh_token.adapters.fleet_telemetry import FleetTelemetry
from refresh_token.adapters.lambda_clock import LambdaClock, LambdaContext
from refresh_token.adapters.work_queue import SqsQueue
from refresh_token.fleet.dispatcher import Dispatcher
from refresh_token.fleet.settings import FleetSettings

TELEMETRY: Final = FleetTelemetry()


def lambda_handler(_event: object, context: LambdaContext) -> dict[str, Any]:
    """Send what is due; the event does not matter.

    Raises:
        RefreshTokenError: the table or the queue cannot be used; the class name is the ``errorType``.

    """
    with TELEMETRY.invocation(context.aws_request_id):
        settings = _settings()
        dispatcher = Dispatcher(
            providers=settings.providers,
            rate=settings.refreshes_per_second,
            policy=settings.policy,
            index=TableIndex(settings.table, table_client()),
            queue=SqsQueue(settings.queue_url, queue_client(), _pool().map),
            brakes=BrakeRecords(settings.table, table_client()),
            clock=LambdaClock(context),
            telemetry=TELEMETRY,
            spread=_pool().map,
        )
        return dispatcher.tick().to_answer()


@cache
def _settings() -> FleetSettings:
    return FleetSettings.from_environment(os.environ)


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS)

"""The Lambda entry point of a fleet's worker, to which the queue delivers what is due. It holds no logic."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from refresh_token.adapters.brake_records import BrakeRecords
from refresh_token.adapters.fleet_calls import table_client
from refresh_token.adapters.fleet_telemetry import FleetTelemetry
from refresh_token.adapters.lambda_clock import LambdaClock, LambdaContext
from refresh_token.adapters.refreshing import refresher_for
from refresh_token.core.process_memory import ProcessMemory
from refresh_token.fleet.worker import Message, Worker
from refresh_token.fleet_parts import fleet_connections, fleet_settings, state_events

if TYPE_CHECKING:
    from refresh_token.core.connections import Connection
    from refresh_token.core.ports import Clock
    from refresh_token.core.refresher import Refresher

TELEMETRY: Final = FleetTelemetry()
MEMORY: Final = ProcessMemory()
ATTEMPTS: Final = 1
"""How often a message calls the provider at most. The due time of the connection is the retry."""


def lambda_handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Work off a batch of the queue; return which of its messages must come again.

    The event and the answer are those of a queue with partial batch responses (AWS Lambda Developer Guide, "Handling
    errors for an SQS event source").

    Raises:
        ConfigurationException: the environment is wrong.

    """
    records: Sequence[Mapping[str, Any]] = event["Records"]
    with TELEMETRY.invocation(context.aws_request_id):
        clock, settings = LambdaClock(context), fleet_settings()
        connections = fleet_connections(TELEMETRY, attempts=ATTEMPTS)
        worker = Worker(
            open_connection=connections.open,
            refresher_for=_refresher,
            brakes=BrakeRecords(settings.table, table_client()),
            clock=clock,
            telemetry=TELEMETRY,
        )
        try:
            again = worker.work_off([Message(record["messageId"], record["body"]) for record in records])
        finally:
            state_events(TELEMETRY).send(seconds=clock.remaining())
    return {"batchItemFailures": [{"itemIdentifier": id_} for id_ in again]}


def _refresher(connection: "Connection", clock: "Clock") -> "Refresher":
    return refresher_for(connection, clock=clock, telemetry=TELEMETRY, memory=MEMORY)

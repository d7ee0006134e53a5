"""The Lambda entry point of a fleet's worker, to which the queue delivers what is due. It holds no logic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    from refresh_token.adapters.fleet_connections import OpenedConnection
    from refresh_token.core.ports import Clock, StoredPair
    from refresh_token.core.results import TickReport
    from refresh_token.errors import RefreshTokenError
    from refresh_token.fleet.record import Record

TELEMETRY: Final = FleetTelemetry()
MEMORY: Final = ProcessMemory()
ATTEMPTS: Final = 1
"""How often a message calls the provider at most. The due time of the connection is the retry."""


@dataclass(frozen=True, slots=True)
class OneConnection:
    """The port on a connection that was opened, under the clock of its message."""

    opened: "OpenedConnection"
    clock: "Clock"

    @property
    def record(self) -> "Record":
        """Return the item, as it was read."""
        return self.opened.record

    def tick(self) -> "TickReport":
        """Refresh the token if it is due."""
        connection = self.opened.connection
        return refresher_for(connection, clock=self.clock, telemetry=TELEMETRY, memory=MEMORY).tick()

    def move_on(self, stored: "StoredPair") -> None:
        """Set the next due time of a token that needs nothing now."""
        self.opened.item.move_on(stored)

    def put_off(self, error: "RefreshTokenError") -> None:
        """Remember an error that came before the provider was called, and set a later due time."""
        self.opened.item.put_off(error)


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
            open_connection=lambda name, its_clock: OneConnection(connections.open(name), its_clock),
            brakes=BrakeRecords(settings.table, table_client()),
            clock=clock,
            telemetry=TELEMETRY,
        )
        try:
            again = worker.work_off([Message(record["messageId"], record["body"]) for record in records])
        finally:
            state_events(TELEMETRY).send(seconds=clock.remaining())
    return {"batchItemFailures": [{"itemIdentifier": id_} for id_ in again]}

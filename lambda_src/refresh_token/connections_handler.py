"""The Lambda entry point of a fleet for its consumers. It holds no logic.

Every question reads the table, so init makes that client. What only a refresh needs is imported by the first refresh.
"""

import gc

gc.disable()

from contextlib import suppress
from typing import Final

from refresh_token.adapters.fleet_telemetry import FleetTelemetry
from refresh_token.adapters.lambda_clock import LambdaClock, LambdaContext
from refresh_token.answers import Answer, answer_about
from refresh_token.core.process_memory import ProcessMemory
from refresh_token.errors import ConfigurationException
from refresh_token.fleet.questions import parse_question
from refresh_token.fleet_parts import ask_of, fleet_connections, state_events

TELEMETRY: Final = FleetTelemetry()
MEMORY: Final = ProcessMemory()


def lambda_handler(event: object, context: LambdaContext) -> Answer:
    """Answer a question about a connection.

    Raises:
        RefreshTokenError: the request failed; the class name is the ``errorType`` that the caller sees.

    """
    TELEMETRY.connection = None
    with TELEMETRY.invocation(context.aws_request_id):
        question, clock = parse_question(event), LambdaClock(context)
        TELEMETRY.connection = question.connection
        try:
            provider, token = ask_of(TELEMETRY, clock=clock, memory=MEMORY).answer(question)
            return answer_about(question.connection, provider, token)
        finally:
            state_events(TELEMETRY).send(seconds=clock.remaining())


# A wrong environment does not fail the init: each invocation reports it, as a ConfigurationException.
with suppress(ConfigurationException):
    fleet_connections(TELEMETRY)

gc.freeze()
gc.enable()

"""Serves the single secret's function after its pair has moved to the stack's fleet: the secret holds a pointer.

Consumers of both functions get the same token, and its versions are those of the item, so they can move one by one. The
fleet keeps the connection alive. A tick only measures it, and refreshes what must not wait: a token that is known to be
dead, or a grant that would end.
"""

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from refresh_token.adapters.refreshing import refresher_for
from refresh_token.answers import Answer, answer_about, answer_of
from refresh_token.core.refresh_policy import DEMAND
from refresh_token.errors import InvalidParameterException, RefreshTokenError, SecretMalformedException
from refresh_token.events import Exchange, Request, Tick
from refresh_token.fleet.names import NAME_RULE, is_name
from refresh_token.fleet.questions import Question
from refresh_token.fleet.settings import CONNECTIONS_TABLE
from refresh_token.fleet.wording import about
from refresh_token.fleet_parts import ask_of, fleet_connections, state_events

if TYPE_CHECKING:
    from refresh_token.adapters.telemetry import PowertoolsTelemetry
    from refresh_token.core.ports import Clock
    from refresh_token.core.process_memory import ProcessMemory

NO_EXCHANGE: Final = (
    "`refreshTokenBody` cannot be used here: the token pair of this stack has moved to its fleet. Leave it out to get "
    "the token."
)


def answer_moved(
    pointer: SecretMalformedException,
    request: Request,
    *,
    telemetry: "PowertoolsTelemetry",
    clock: "Clock",
    memory: "ProcessMemory",
) -> Answer:
    """Answer a request about the connection that the secret points to.

    Raises:
        SecretMalformedException: this function knows no fleet, or the pointer names no connection.
        InvalidParameterException: the request is the bare operation, whose token may be the fleet's.
        RefreshTokenError: the request failed.

    """
    name = pointer.moved_to or ""
    if not os.environ.get(CONNECTIONS_TABLE):
        raise pointer
    if not is_name(name):
        raise SecretMalformedException(f"The secret's `connection` {NAME_RULE}.")
    if isinstance(request, Exchange):
        raise InvalidParameterException(NO_EXCHANGE)
    try:
        if isinstance(request, Tick):
            return _tick(name, telemetry=telemetry, clock=clock, memory=memory)
        provider, token = ask_of(telemetry, clock=clock, memory=memory).answer(Question(name, request))
        return answer_about(name, provider, token)
    finally:
        state_events(telemetry).send(seconds=clock.remaining())


def _tick(name: str, *, telemetry: "PowertoolsTelemetry", clock: "Clock", memory: "ProcessMemory") -> Answer:
    try:
        connection = replace(fleet_connections(telemetry).open(name).connection, policy=DEMAND)
        return answer_of(refresher_for(connection, clock=clock, telemetry=telemetry, memory=memory).tick())
    except RefreshTokenError as error:
        failed = about(error, name)
    raise failed

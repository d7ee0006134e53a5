"""Serves requests to the single secret's function if the secret holds no pair, because the stack's fleet has it.

Either the pair has moved to the fleet, and the secret points to its connection. Consumers of both functions then get
the same token, and its versions are those of the item, so they can move one by one. The fleet keeps the connection
alive. A tick measures it, and refreshes only what must not wait: a token that is known to be dead, or a grant that
would end.

Or the stack keeps only connections, and nobody ever stored a pair in the secret. Then there is nothing to check.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from refresh_token.adapters.refreshing import refresher_for
from refresh_token.answers import Answer, answer_about, answer_of
from refresh_token.core.refresh_policy import DEMAND
from refresh_token.errors import (
    InvalidParameterException,
    RefreshTokenError,
    SecretMalformedException,
    SecretNotSeededException,
)
from refresh_token.events import Exchange, Request, Tick
from refresh_token.fleet.names import NAME_RULE, is_name
from refresh_token.fleet.questions import Question
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


ONLY_FLEET: Final = (
    "This stack has a fleet as well: to get the token of one of its connections, invoke the fleet's function (the "
    "output `ConnectionsFunctionArn`) with the connection's name."
)


def answer_beside_fleet(
    fault: SecretMalformedException | SecretNotSeededException,
    request: Request,
    *,
    telemetry: "PowertoolsTelemetry",
    clock: "Clock",
    memory: "ProcessMemory",
) -> Answer:
    """Answer a request although the secret holds no pair; ``fault`` says what it holds.

    Raises:
        SecretNotSeededException: the secret never held a pair, and a consumer asks.
        SecretMalformedException: the pair has moved, but the secret names no connection.
        InvalidParameterException: the request is the bare operation, whose token may be the fleet's.
        RefreshTokenError: the request failed.

    """
    if isinstance(fault, SecretNotSeededException):
        return _unused(fault, request, telemetry)
    name = fault.moved_to or ""
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


def _unused(fault: SecretNotSeededException, request: Request, telemetry: "PowertoolsTelemetry") -> Answer:
    """Report to a tick that all is well if nobody ever stored a pair. An emptied secret is a fault."""
    if not fault.never:
        raise fault
    if not isinstance(request, Tick):
        raise SecretNotSeededException(f"{fault} {ONLY_FLEET}")
    telemetry.grant_state(needs_sign_in=False, pair_not_stored=False)
    return {"outcome": "idle", "versionId": None, "expiresAt": None}


def _tick(name: str, *, telemetry: "PowertoolsTelemetry", clock: "Clock", memory: "ProcessMemory") -> Answer:
    try:
        connection = replace(fleet_connections(telemetry).open(name).connection, policy=DEMAND)
        return answer_of(refresher_for(connection, clock=clock, telemetry=telemetry, memory=memory).tick())
    except RefreshTokenError as error:
        failed = about(error, name)
    raise failed

"""`tokenctl connections refresh`: gets new access tokens now."""

from functools import partial
from typing import Final

from tokenctl.commands.connections.operation import OperationCommand
from tokenctl.commands.refresh import WARNING
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.operations import Operation, Outcome
from tokenctl.connections.state_changes import StateChangeEvents
from tokenctl.stack.function import request_token
from tokenctl.stack.target import Target
from tokenctl.stack.token_life import relative

EXAMPLES: Final = """\b
Examples:
  tokenctl connections refresh acme/u1 --stage prod
  tokenctl connections refresh --state stuck --stage prod
"""


@OperationCommand(asks=f"This refreshes {{these}} of {{stack}}. {WARNING}", examples=EXAMPLES)
def refresh(fleet: Fleet, _events: StateChangeEvents) -> Operation:
    """Refresh connections now, whatever their windows, also those that are refused, stuck or cooling down.

    Every access token of them that was handed out dies. Prints no token. Paused and revoked ones are not refreshed.
    """
    return partial(_refresh, fleet.function)


def _refresh(function: Target, name: str) -> Outcome:
    answer = request_token(function, {"connection": name, "force": True})
    left = f"version {answer['versionId']}, expires {answer['expiresAt']} ({relative(answer['expiresIn'])})"
    return Outcome(connection=name, outcome="refreshed", state="active", detail=left)

"""`tokenctl connections remove`: deletes connections."""

from typing import Final

from tokenctl.commands.connections.operation import OperationCommand
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.operations import Operation, Operator
from tokenctl.connections.state_changes import StateChangeEvents

EXAMPLES: Final = """\b
Examples:
  tokenctl connections remove acme/u1 --stage prod
  tokenctl connections remove --tenant acme --state revoked --stage prod --yes
"""


@OperationCommand(
    asks="This deletes {these} of {stack}, with the tokens. Consumers get ConnectionNotFoundException until somebody "
    "connects again.",
    examples=EXAMPLES,
)
def remove(fleet: Fleet, events: StateChangeEvents) -> Operation:
    """Delete connections with their tokens. The grants stay at the provider: to end them as well, revoke them first.

    Refuses a connection that is being refreshed.
    """
    return Operator.of(fleet, events).remove

"""`tokenctl connections pause`: takes connections out of the refreshes."""

from typing import Final

from tokenctl.commands.connections.operation import OperationCommand
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.operations import Operation, Operator
from tokenctl.connections.state_changes import StateChangeEvents

EXAMPLES: Final = """\b
Examples:
  tokenctl connections pause acme/u1 --stage prod
  tokenctl connections pause --tenant acme --stage prod
"""


@OperationCommand(
    asks="This pauses {these} of {stack}. Their consumers get errors until somebody resumes them.",
    always_asks=False,
    examples=EXAMPLES,
)
def pause(fleet: Fleet, events: StateChangeEvents) -> Operation:
    """Pause connections: nothing refreshes them, and their consumers get ConnectionPausedException.

    The tokens stay. A refresh that is running may end. Asks first if filters choose the connections.
    """
    return Operator.of(fleet, events).pause

"""`tokenctl connections resume`: makes connections active again."""

from typing import Final

from tokenctl.commands.connections.operation import OperationCommand
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.operations import Operation, Operator
from tokenctl.connections.state_changes import StateChangeEvents

EXAMPLES: Final = """\b
Examples:
  tokenctl connections resume acme/u1 --stage prod
  The app's credentials were wrong, and are mended:
    tokenctl connections resume --state refused --stage prod
"""


@OperationCommand(
    asks="This resumes {these} of {stack}: each one whose token is due is refreshed.",
    always_asks=False,
    examples=EXAMPLES,
)
def resume(fleet: Fleet, events: StateChangeEvents) -> Operation:
    """Undo a pause, and make connections active again that are stuck, refused, malformed or cooling.

    A paused one becomes what it was before, perhaps refused; any other one gets a new chance. The fleet looks at each
    of them soon, at its rate, and refreshes those that are due. Asks first if filters choose the connections. A revoked
    one has no tokens: connect it again.
    """
    return Operator.of(fleet, events).resume

"""`tokenctl connections revoke`: ends grants at their provider."""

from functools import partial
from typing import Final

import click

from tokenctl.commands.connections.operation import OperationCommand
from tokenctl.connections.choice_options import name_options
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.operations import Operation
from tokenctl.connections.revoking import Revoker
from tokenctl.connections.state_changes import StateChangeEvents

EXAMPLES: Final = """\b
Examples:
  tokenctl connections revoke acme/u1 --stage prod
  The user has ended the access on the provider's page:
    tokenctl connections revoke acme/u1 --mark-only --stage prod
"""


@OperationCommand(
    asks="This ends the access of {these} of {stack}. The tokens stop working, and consumers get errors until somebody "
    "connects again.",
    choice=name_options,
    examples=EXAMPLES,
)
@click.option("--mark-only", is_flag=True, help="Ask the provider for nothing: the grants have ended there already.")
def revoke(fleet: Fleet, events: StateChangeEvents, *, mark_only: bool) -> Operation:
    """End the grants of connections at their provider, and delete their tokens.

    Consumers get ConnectionPausedException until somebody connects again. Holds the claim on the refresh meanwhile. If
    the provider refuses, or has no address for it (RFC 7009), that connection does not change.
    """
    return partial(Revoker.of(fleet, events).revoke, mark_only=mark_only)

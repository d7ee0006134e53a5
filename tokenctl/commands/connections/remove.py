"""`tokenctl connections remove`: deletes connections."""

from typing import Final

import click

from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import fleet_target_options
from tokenctl.commands.connections.outcomes import SAMPLE, of, show_outcomes
from tokenctl.connections.choice import Choice
from tokenctl.connections.choice_options import choice_options
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.operations import Operator, perform
from tokenctl.stack.target import Target
from tokenctl.terminal.confirm import confirm

EXAMPLES: Final = """\b
Examples:
  tokenctl connections remove acme/u1 --stage prod
  tokenctl connections remove --tenant acme --state revoked --stage prod --yes
"""


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@choice_options
@click.option("--yes", is_flag=True, help="Do not ask.")
@fleet_target_options
@output_options
def remove(*, choice: Choice, target: Target, yes: bool, output: Output) -> int:
    """Delete connections with their tokens. The grants stay at the provider: to end them as well, revoke them first.

    Refuses a connection that is being refreshed.
    """
    output.check("connections remove", SAMPLE)
    fleet = Fleet(target)
    names = choice.read(fleet)
    confirm(
        f"This deletes {of(names)} of {target.stack_name}, with the tokens. Consumers get ConnectionNotFoundException "
        "until somebody connects again.",
        yes=yes,
    )
    return show_outcomes("connections remove", perform(Operator.of(fleet).remove, names), output)

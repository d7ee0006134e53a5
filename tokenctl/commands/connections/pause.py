"""`tokenctl connections pause`: takes connections out of the refreshes."""

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
  tokenctl connections pause acme/u1 --stage prod
  tokenctl connections pause --tenant acme --stage prod
"""


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@choice_options
@click.option("--yes", is_flag=True, help="Do not ask.")
@fleet_target_options
@output_options
def pause(*, choice: Choice, target: Target, yes: bool, output: Output) -> int:
    """Pause connections: nothing refreshes them, and their consumers get ConnectionPausedException.

    The tokens stay. A refresh that is running may end. Asks first if filters choose the connections.
    """
    output.check("connections pause", SAMPLE)
    fleet = Fleet(target)
    names = choice.read(fleet)
    confirm(
        f"This pauses {of(names)} of {target.stack_name}. Their consumers get errors until somebody resumes them.",
        yes=yes or not choice.filters,
    )
    operator = Operator.of(fleet)
    try:
        return show_outcomes("connections pause", perform(operator.pause, names), output)
    finally:
        operator.events.send()

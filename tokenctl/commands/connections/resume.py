"""`tokenctl connections resume`: makes connections active again."""

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
  tokenctl connections resume acme/u1 --stage prod
  The app's credentials were wrong, and are mended:
    tokenctl connections resume --state refused --stage prod
"""


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@choice_options
@click.option("--yes", is_flag=True, help="Do not ask.")
@fleet_target_options
@output_options
def resume(*, choice: Choice, target: Target, yes: bool, output: Output) -> int:
    """Undo a pause, and make connections active again that are stuck, refused, malformed or cooling.

    A paused one becomes what it was before, perhaps refused; any other one gets a new chance. The fleet looks at each
    of them soon, at its rate, and refreshes those that are due. Asks first if filters choose the connections. A revoked
    one has no tokens: connect it again.
    """
    output.check("connections resume", SAMPLE)
    fleet = Fleet(target)
    names = choice.read(fleet)
    confirm(
        f"This resumes {of(names)} of {target.stack_name}: each one whose token is due is refreshed.",
        yes=yes or not choice.filters,
    )
    operator = Operator.of(fleet)
    try:
        return show_outcomes("connections resume", perform(operator.resume, names), output)
    finally:
        operator.events.send()

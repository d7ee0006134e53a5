"""`tokenctl connections refresh`: gets new access tokens now."""

from functools import partial
from typing import Final

import click

from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import fleet_target_options
from tokenctl.commands.connections.outcomes import SAMPLE, of, show_outcomes
from tokenctl.commands.refresh import WARNING
from tokenctl.connections.choice import Choice
from tokenctl.connections.choice_options import choice_options
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.operations import Outcome, perform
from tokenctl.stack.function import request_token
from tokenctl.stack.target import Target
from tokenctl.stack.token_life import relative
from tokenctl.terminal.confirm import confirm

EXAMPLES: Final = """\b
Examples:
  tokenctl connections refresh acme/u1 --stage prod
  tokenctl connections refresh --state stuck --stage prod
"""


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@choice_options
@click.option("--yes", is_flag=True, help="Do not ask.")
@fleet_target_options
@output_options
def refresh(*, choice: Choice, target: Target, yes: bool, output: Output) -> int:
    """Refresh connections now, whatever their windows, also those that are refused, stuck or cooling down.

    Every access token of them that was handed out dies. Prints no token. Paused and revoked ones are not refreshed.
    """
    output.check("connections refresh", SAMPLE)
    fleet = Fleet(target)
    names = choice.read(fleet)
    confirm(f"This refreshes {of(names)} of {target.stack_name}. {WARNING}", yes=yes)
    return show_outcomes("connections refresh", perform(partial(_refresh, fleet.function), names), output)


def _refresh(function: Target, name: str) -> Outcome:
    answer = request_token(function, {"connection": name, "force": True})
    left = f"version {answer['versionId']}, expires {answer['expiresAt']} ({relative(answer['expiresIn'])})"
    return Outcome(connection=name, outcome="refreshed", state="active", detail=left)

"""`tokenctl connections show`: shows one connection of a fleet."""

from datetime import UTC, datetime
from typing import Final

import click

from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import fleet_target_options
from tokenctl.connections.description import describe, lines
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.name import name_argument
from tokenctl.connections.table import Table
from tokenctl.stack.target import Target
from tokenctl.terminal.columns import in_column

INDENT: Final = 21
"""Characters of a line before its text."""

EXAMPLES: Final = """\b
Examples:
  tokenctl connections show acme/u1 --stage prod
  tokenctl connections show acme/u1 --stage prod --query failure
"""


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@name_argument
@fleet_target_options
@output_options
def show(*, name: str, target: Target, output: Output) -> None:
    """Show one connection: its state, what to do about it, and everything that is stored but its tokens."""
    fleet, now = Fleet(target), datetime.now(UTC)
    described = describe(Table(fleet).get(name), fleet, now=now)
    if output.is_structured:
        output.print("connections show", described)
        return
    click.secho(f"{name} is {described['state']}", bold=True, color=output.colored)
    click.echo(in_column(described["advice"], indent=0))
    for heading, text in lines(described, now=now):
        click.echo(f"  {heading:<{INDENT - 2}}{in_column(text, indent=INDENT)}")

"""`tokenctl connections list`: lists the connections of a fleet."""

from datetime import UTC, datetime
from typing import Final

import click

from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import fleet_target_options
from tokenctl.connections.choice_options import filter_options
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.listing import Filters, Listing
from tokenctl.stack.target import Target
from tokenctl.terminal.connection_lines import drawn

EXAMPLES: Final = """\b
Examples:
  tokenctl connections list --stage prod
  tokenctl connections list --stage prod --state refused --state stuck
  tokenctl connections list --stage prod --tenant acme --output json --query "[].connection"
  tokenctl connections list --stage prod --limit 100
"""


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@filter_options
@click.option("--limit", metavar="N", type=click.IntRange(1, 1_000_000), help="At most so many; the default is all.")
@click.option("--starting-token", metavar="TOKEN", help="Go on where a list with --limit ended.")
@fleet_target_options
@output_options
def list(  # noqa: A001 - the name of the command
    *,
    target: Target,
    filters: Filters,
    limit: int | None,
    starting_token: str | None,
    output: Output,
) -> None:
    """List the connections of the fleet: name, provider, state, expiry, and when each is due.

    Reads the table's indexes, which hold no token. If --limit cuts the list off, standard error says how to go on.
    """
    listing = Listing(Fleet(target), filters, limit=limit)
    rows = listing.rows(starting_token)
    if output.is_structured:
        output.print_list("connections list", rows)
    else:
        line = None
        for line in drawn(rows, now=datetime.now(UTC)):
            click.echo(line, color=output.colored)
        if line is None:
            click.echo("There is no such connection.", err=True)
    if listing.token is not None:
        click.echo(f"There may be more. To go on, repeat the command with --starting-token {listing.token}", err=True)

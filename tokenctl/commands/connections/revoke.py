"""`tokenctl connections revoke`: ends grants at their provider."""

from functools import partial
from typing import Final

import click

from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import fleet_target_options
from tokenctl.commands.connections.outcomes import SAMPLE, of, show_outcomes
from tokenctl.connections.choice import Choice
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.name import check_names
from tokenctl.connections.operations import perform
from tokenctl.connections.revoking import Revoker
from tokenctl.stack.target import Target
from tokenctl.terminal.confirm import confirm

EXAMPLES: Final = """\b
Examples:
  tokenctl connections revoke acme/u1 --stage prod
  The user has ended the access on the provider's page:
    tokenctl connections revoke acme/u1 --mark-only --stage prod
"""


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@click.argument("names", nargs=-1, required=True, metavar="CONNECTION...", callback=check_names)
@click.option("--mark-only", is_flag=True, help="Ask the provider for nothing: the grants have ended there already.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@fleet_target_options
@output_options
def revoke(*, names: tuple[str, ...], target: Target, mark_only: bool, yes: bool, output: Output) -> int:
    """End the grants of connections at their provider, and delete their tokens.

    Consumers get ConnectionPausedException until somebody connects again. Holds the claim on the refresh meanwhile. If
    the provider refuses, or has no address for it (RFC 7009), that connection does not change.
    """
    output.check("connections revoke", SAMPLE)
    fleet = Fleet(target)
    chosen = Choice(names=names).read(fleet)
    confirm(
        f"This ends the access of {of(chosen)} of {target.stack_name}. The tokens stop working, and consumers get "
        "errors until somebody connects again.",
        yes=yes,
    )
    revoker = Revoker.of(fleet)
    try:
        revoked = partial(revoker.revoke, mark_only=mark_only)
        return show_outcomes("connections revoke", perform(revoked, chosen), output)
    finally:
        revoker.events.send()

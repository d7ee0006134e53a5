"""`tokenctl introspect`: shows what the provider says about the stored access token."""

from datetime import UTC, datetime
from typing import Final

import click

from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import target_options
from tokenctl.errors import ConfigurationError
from tokenctl.sign_in import introspection
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.pair_secret import mismatch, read_pair
from tokenctl.stack.target import Target
from tokenctl.stack.token_life import relative_to

EXAMPLES: Final = """\b
Examples:
  tokenctl introspect --stage prod
  tokenctl introspect --stage prod --query active
"""


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@target_options
@output_options
def introspect(*, target: Target, output: Output) -> None:
    """Show what the provider says about the stored access token: whether it is active, its scope, end and subject.

    Needs a profile with an address for that (RFC 7662). Refreshes nothing, and shows no token.
    """
    deployed = DeployedStack(target)
    pair = read_pair(deployed).pair
    if not pair.access_token:
        raise ConfigurationError(
            f"The secret holds no access token yet. `tokenctl tick {target.option}` lets the function get one."
        )
    if problem := mismatch(deployed, pair):
        raise ConfigurationError(f"The token cannot be sent: {problem}.")
    found = introspection.introspect(deployed, pair)
    if output.is_structured:
        output.print("introspect", found)
        return
    click.echo("active" if found["active"] else "not active: the provider does not accept the token")
    if end := found["expiresAt"]:
        click.echo(f"  {'expires':<10}{end} ({relative_to(datetime.now(UTC), end)})")
    for name in ("scope", "subject"):
        if found[name]:
            click.echo(f"  {name:<10}{found[name]}")

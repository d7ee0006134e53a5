"""`tokenctl list`: shows the stages that are deployed."""

from datetime import UTC, datetime
from typing import Final

import click

from refresh_token.signals import STACK_PREFIX
from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import target_options
from tokenctl.stack.stages import deployed_stages
from tokenctl.stack.target import Target
from tokenctl.stack.token_life import relative_to

EXAMPLES: Final = """\b
Examples:
  tokenctl list
  tokenctl list --region eu-west-1 --query '[].stage' --output text
"""


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@target_options
@output_options
def list(*, target: Target, output: Output) -> None:  # noqa: A001 - the name of the command
    """Show the stages that are deployed in this account and region, with the state of each stack.

    Shows only stacks that are called RefreshToken-<stage>: name the function of others with --function-name.
    """
    stages = deployed_stages(target.aws)
    if output.is_structured:
        output.print("list", stages)
        return
    if not stages:
        click.echo(f"There is no stack {STACK_PREFIX}<stage> in {target.aws.session.region_name}.", err=True)
    width = max((len(stage["stage"]) for stage in stages), default=0)
    now = datetime.now(UTC)
    for stage in stages:
        changed = relative_to(now, stage["changedAt"])
        click.echo(f"{stage['stage']:<{width}}  {stage['status']}  {stage['changedAt']} ({changed})")

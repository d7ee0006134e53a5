"""`tokenctl token`: prints the access token, for scripts."""

import sys
from typing import Final

import click

from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import target_options
from tokenctl.errors import UsageError
from tokenctl.stack.function import SAMPLE_ANSWER, request_token
from tokenctl.stack.target import Target

EXAMPLES: Final = """\b
Examples:
  export FIGMA_TOKEN=$(tokenctl token --stage prod)
  tokenctl token --stage prod --output json | jq -r .versionId
  tokenctl token --stage prod --failed-version "$VERSION" > token.txt
"""


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@click.option("--show", is_flag=True, help="Print the token even on a terminal, where others may see it.")
@click.option("--failed-version", metavar="ID", help="Report a rejected version, and get a token that works.")
@target_options
@output_options
def token(*, target: Target, show: bool, failed_version: str | None, output: Output) -> None:
    """Print a live access token, as any consumer of the function gets it.

    Prints into a pipe, a file or a variable; on a terminal, only with --show. With --output or --query, prints the
    complete answer: accessToken, expiresIn, expiresAt, versionId, state and, if they are known, refreshedAt, provider,
    scope, values, api.
    """
    if sys.stdout.isatty() and not show:
        raise UsageError(
            "This would show the token on your terminal. Use it as $(tokenctl token), send it into a pipe or a file, "
            "or add --show."
        )
    output.check("token", SAMPLE_ANSWER)
    answer = request_token(target, {} if failed_version is None else {"failedVersionId": failed_version})
    if answer["state"] == "degraded":
        click.echo(
            f"tokenctl: The token could not be refreshed and lives until {answer['expiresAt']}. See `tokenctl doctor`.",
            err=True,
        )
    if output.is_structured:
        output.print("token", answer)
    else:
        click.echo(answer["accessToken"])

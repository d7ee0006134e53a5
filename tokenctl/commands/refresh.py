"""`tokenctl refresh`: gets a new access token now."""

from typing import Any, Final

import click

from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import target_options
from tokenctl.stack.function import SAMPLE_ANSWER, request_token
from tokenctl.stack.target import Target
from tokenctl.stack.token_life import relative
from tokenctl.terminal.confirm import confirm

WARNING: Final = (
    "At Figma and many other providers a refresh ends the current access token at once: every consumer that keeps it "
    "gets errors until it requests the token again."
)
SAMPLE: Final = {key: SAMPLE_ANSWER[key] for key in ("versionId", "expiresAt", "expiresIn", "state")}
"""The answer of the command, as far as a query can tell."""

EXAMPLES: Final = """\b
Examples:
  tokenctl refresh --stage prod
  tokenctl refresh --stage prod --yes --output json
"""


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@click.option("--yes", is_flag=True, help="Do not ask.")
@target_options
@output_options
def refresh(*, target: Target, yes: bool, output: Output) -> None:
    """Refresh the stored token now, whatever its window. Every access token handed out so far dies.

    Prints the new version and its expiry, but no token.
    """
    output.check("refresh", SAMPLE)
    confirm(WARNING, yes=yes)
    report = force_refresh(target)
    if output.is_structured:
        output.print("refresh", report)
    else:
        left = relative(report["expiresIn"])
        click.echo(f"Refreshed: version {report['versionId']}, expires {report['expiresAt']} ({left}).")


def force_refresh(target: Target) -> dict[str, Any]:
    """Refresh; return versionId, expiresAt, expiresIn and state. Raises as `tokenctl.stack.function.invoke`."""
    answer = request_token(target, {"force": True})
    return {key: answer[key] for key in SAMPLE}

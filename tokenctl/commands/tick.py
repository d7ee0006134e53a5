"""`tokenctl tick`: lets the function look at its token now, as the schedule does."""

from datetime import UTC, datetime
from typing import Any, Final

import click

from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import target_options
from tokenctl.errors import TokenctlError
from tokenctl.stack.function import TICK, invoke
from tokenctl.stack.target import Target
from tokenctl.stack.token_life import relative_to

SAMPLE: Final = {"outcome": "fresh", "versionId": "version", "expiresAt": "2030-01-01T00:00:00Z"}
"""The answer of the command, to test a query with."""

MEANINGS: Final = {
    "fresh": "the token is not due",
    "refreshed": "there is a new token",
    "idle": "the next consumer's request refreshes the token",
    "degraded": "the token is due, but could not be refreshed; see `tokenctl errors`",
}

EXAMPLES: Final = """\b
Examples:
  tokenctl tick --stage prod
  tokenctl tick --stage prod --output json | jq -r .outcome
"""


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@target_options
@output_options
def tick(*, target: Target, output: Output) -> None:
    """Let the function look at its token now, as the schedule does, and show the outcome.

    Refreshes the token only if it is due. Ends alarms about what is mended. Prints no token.
    """
    output.check("tick", SAMPLE)
    report = perform_tick(target)
    if output.is_structured:
        output.print("tick", report)
    else:
        click.echo(sentence(report))


def perform_tick(target: Target) -> dict[str, Any]:
    """Let the function tick; return outcome, versionId and expiresAt. Raises as `tokenctl.stack.function.invoke`."""
    answer = invoke(target, TICK)
    if not answer.keys() >= SAMPLE.keys() or answer["outcome"] not in MEANINGS:
        raise TokenctlError(
            "The function's answer is not that of a tick. Check with --function-name or --stage that it is the refresh "
            "function."
        )
    return {key: answer[key] for key in SAMPLE}


def sentence(report: dict[str, Any]) -> str:
    """Return the report in words."""
    expires = report["expiresAt"]
    when = "expiry unknown" if expires is None else f"expires {expires} ({relative_to(datetime.now(UTC), expires)})"
    return f"{report['outcome']}: {MEANINGS[report['outcome']]}. Version {report['versionId']}, {when}."

"""`tokenctl logs`: shows the function's log."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click

from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import watched_target_options
from tokenctl.connections.fleet_parts import PARTS, FleetParts
from tokenctl.errors import UsageError
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.function_log import search_log
from tokenctl.stack.target import Target

HIDDEN: Final = frozenset({"at", "level", "message", "location", "timestamp", "service", "xray_trace_id"})
"""Members of a line that are shown in front of the others, or tell an operator nothing."""

EXAMPLES: Final = """\b
Examples:
  tokenctl logs --stage prod --hours 1
  tokenctl logs --stage prod --find 08285560-110a-4bec-87e7-ca228ba823c8
  tokenctl logs --stage prod --find ERROR --output json
  tokenctl logs --stage prod --part worker --find acme/u1
"""


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@click.option(
    "--find", "text", metavar="TEXT", default="", help="Show only lines with this text, such as the id of a request."
)
@click.option(
    "--hours", type=click.FloatRange(min=0, min_open=True, max=24 * 365), default=24, help="How far back. Default: 24."
)
@click.option("--part", type=click.Choice(list(PARTS)), help="Of a fleet: the function whose log it is.")
@watched_target_options
@output_options
def logs(*, target: Target, text: str, hours: float, part: str | None, output: Output) -> None:
    """Show the function's log of the last day: what it did with which version, and why something failed.

    Leaves out the metrics, and what Lambda prints at the start and the end of each request. The log holds no token.
    """
    deployed = DeployedStack(target)
    if part is None and target.fleet_function is not None:
        raise UsageError(f"A fleet has several logs. Give one of {', '.join(PARTS)} with --part.")
    group = FleetParts(deployed).log_group(PARTS[part]) if part else None
    lines = search_log(deployed, text, datetime.now(UTC) - timedelta(hours=hours), group=group)
    if output.is_structured:
        output.print("logs", list(lines))
        return
    found = False
    for line in lines:
        found = True
        click.echo(_sentence(line))
    if not found:
        click.echo("The log shows nothing like that. New lines take up to a minute to appear.", err=True)


def _sentence(line: Mapping[str, Any]) -> str:
    more = [f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in line.items()]
    shown = [text for key, text in zip(line, more, strict=True) if key not in HIDDEN]
    return "  ".join([line["at"], *([line["level"]] if "level" in line else []), str(line["message"]).rstrip(), *shown])

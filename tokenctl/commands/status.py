"""`tokenctl status`: shows the token pair, and what keeps it alive, on one screen."""

import json
import time
from collections.abc import Callable
from typing import Final

import click
from rich.console import Console
from rich.live import Live

from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import target_options
from tokenctl.stack.status_report import status_report
from tokenctl.stack.target import Target
from tokenctl.terminal.status_screen import render

EXAMPLES: Final = """\b
Examples:
  tokenctl status --stage prod
  tokenctl status --stage prod --watch 10
  tokenctl status --stage prod --output json | jq .token.window
"""


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@click.option(
    "--watch",
    metavar="[SECONDS]",
    type=click.FloatRange(min=0.1),
    is_flag=False,
    flag_value=5.0,
    help="Show it again every few seconds, until Ctrl-C. Default: 5.",
)
@target_options
@output_options
def status(*, target: Target, output: Output, watch: float | None) -> None:
    """Show issuer, window, expiry and versions of the token, the last outcome, schedule, alarms and dead-letter queue.

    If a part cannot be read, it says why. Never shows a token.
    """
    _ = target.named_function or target.outputs  # without a stack there is nothing to show
    if watch and output.format == "json" and output.query is None:
        _repeat(lambda: click.echo(json.dumps(status_report(target))), watch)  # JSON Lines
        return
    if output.is_structured:
        _repeat(lambda: output.print("status", status_report(target)), watch)
        return
    console = Console(
        highlight=False,
        force_terminal=output.colored or None,
        color_system={True: "standard", False: None, None: "auto"}[output.colored],
    )
    if watch is None:
        console.print(render(status_report(target)))
        return
    with Live(console=console, auto_refresh=False) as live:
        _repeat(lambda: live.update(render(status_report(target), interval=watch), refresh=True), watch)


def _repeat(show: Callable[[], None], interval: float | None) -> None:
    """Show once; with an interval, repeatedly until Ctrl-C, which then is a normal end."""
    try:
        show()
        while interval is not None:
            time.sleep(interval)
            show()
    except KeyboardInterrupt:
        if interval is None:
            raise

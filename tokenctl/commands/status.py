"""`tokenctl status`: shows the token pair, and what keeps it alive, on one screen."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import click
from rich.console import Console
from rich.live import Live

from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import watched_target_options
from tokenctl.checks.check import Level, Subject, perform_checks
from tokenctl.checks.table import KEEPING_FLEET, SERVING, SERVING_FLEET
from tokenctl.connections.fleet import Fleet, has_fleet
from tokenctl.connections.fleet_report import fleet_report
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.side_by_side import in_time
from tokenctl.stack.status_report import status_report
from tokenctl.stack.target import Target
from tokenctl.stack.verdict import EXIT_CODES, Health
from tokenctl.terminal.status_screen import render

EXAMPLES: Final = """\b
Examples:
  tokenctl status --stage prod
  tokenctl status --stage prod --watch 10
  tokenctl status --stage prod --output json | jq .token.window

\b
Exit codes, whatever --output is:
  0    HEALTHY, or --watch was stopped
  1    DEGRADED
  2    DEAD
  252  the command line is wrong
  253  there is no such stack
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
@watched_target_options
@output_options
def status(*, target: Target, output: Output, watch: float | None) -> int:
    """Show the verdict, the token and its versions, the last outcome, schedule, alarms and dead-letter queue.

    If a part cannot be read, it says why. Never shows a token.
    """
    _ = target.named_function or in_time(lambda: target.outputs)  # without a stack there is nothing to show
    if watch is not None:
        _watch(target, output, watch)
        return 0
    report = _report(target)
    if output.is_structured:
        output.print("status", report)
    else:
        _console(output).print(render(report))
    return EXIT_CODES[Health(report["verdict"]["health"])]


def _report(target: Target) -> dict[str, Any]:
    return status_report(target, _examine, _read_fleet if has_fleet(target) else None)


def _read_fleet(target: Target, now: datetime) -> dict[str, Any]:
    return fleet_report(Fleet(target), now)


def _examine(deployed: DeployedStack, now: datetime) -> list[dict[str, str]]:
    """Return what keeps the functions from working; what cannot be read is the doctor's to tell.

    What only keeps connections from being refreshed before a consumer asks is a WARN.
    """
    keeping = KEEPING_FLEET if has_fleet(deployed.target) else ()
    alone = deployed.target.fleet_function is not None
    checks = (*(() if alone else SERVING), *(SERVING_FLEET if keeping else ()), *keeping)
    found = perform_checks(checks, Subject(target=deployed.target, deployed=deployed, now=now))
    keepers = {check.name for check in keeping}
    return [
        replace(finding, level=Level.WARN if name in keepers else Level.FAIL).to_document(name)
        for name, finding in found
        if finding.level is Level.FAIL
    ]


def _watch(target: Target, output: Output, interval: float) -> None:
    if output.format == "json" and output.query is None:
        _repeat(lambda: click.echo(json.dumps(_report(target))), interval)  # JSON Lines
    elif output.is_structured:
        _repeat(lambda: output.print("status", _report(target)), interval)
    else:
        with Live(console=_console(output), auto_refresh=False) as live:
            _repeat(lambda: live.update(render(_report(target), interval=interval), refresh=True), interval)


def _console(output: Output) -> Console:
    return Console(
        highlight=False,
        force_terminal=output.colored or None,
        color_system={True: "standard", False: None, None: "auto"}[output.colored],
    )


def _repeat(show: Callable[[], None], interval: float) -> None:
    """Show every few seconds until Ctrl-C, which is a normal end."""
    try:
        while True:
            show()
            time.sleep(interval)
    except KeyboardInterrupt:
        return

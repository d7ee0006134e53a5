"""`tokenctl status`: the token pair and what keeps it alive, on one screen."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click
from rich.console import Console
from rich.live import Live

from refresh_token.signals import Log
from refresh_token.windows import iso_utc
from tokenctl.aws_style.options import target_options
from tokenctl.aws_style.output import Output, output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.errors import TokenctlError
from tokenctl.stack.deployed import Deployed, next_run
from tokenctl.stack.issuer import deployed_issuer
from tokenctl.stack.secret import read_pair, read_versions
from tokenctl.stack.target import Target
from tokenctl.stack.token_life import DEFAULT_WINDOWS, life_of
from tokenctl.terminal.screen import drawn

SEARCHED: Final = (timedelta(days=1), timedelta(days=14), timedelta(days=100))
"""How far back the last outcome is looked for; a token lives 90 days."""

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
    help="Look again every few seconds (5), until Ctrl-C.",
)
@target_options
@output_options
def status(*, target: Target, output: Output, watch: float | None) -> None:
    """Show issuer, window, expiry and versions of the token, the last outcome, schedule, alarms and dead-letter queue.

    What cannot be read says why. Never shows a token.
    """
    _ = target.named_function or target.outputs  # nothing of the below is there without a stack
    if watch and output.format == "json" and output.query is None:
        _repeat(lambda: click.echo(json.dumps(report(target))), watch)  # one line each time
        return
    if output.asked_for:
        _repeat(lambda: output.print("status", report(target)), watch)
        return
    console = Console(
        highlight=False,
        force_terminal=output.colored or None,
        color_system={True: "standard", False: None, None: "auto"}[output.colored],
    )
    if watch is None:
        console.print(drawn(report(target)))
        return
    with Live(console=console, auto_refresh=False) as live:
        _repeat(lambda: live.update(drawn(report(target), every=watch), refresh=True), watch)


def report(target: Target) -> dict[str, Any]:
    """Return what `--output` prints: a part that cannot be read is `{"error": why}`."""
    now, deployed = datetime.now(UTC), Deployed(target)
    return {
        "stack": target.stack_name,
        "region": target.connection.session.region_name,
        "readAt": iso_utc(now),
        "issuer": _part(lambda: deployed_issuer(deployed)),
        "token": _part(lambda: _token(deployed, now)),
        "versions": _part(lambda: _versions(target)),
        "lastOutcome": _part(lambda: _last_outcome(deployed, now)),
        "schedule": _part(lambda: _schedule(deployed, now)),
        "alarms": _part(lambda: _alarms(deployed)),
        "deadLetterQueue": _part(lambda: {"messages": deployed.dead_letters()}),
    }


def _repeat(show: Callable[[], None], every: float | None) -> None:
    """Show once, or again and again until Ctrl-C, which is how one leaves and no failure."""
    try:
        show()
        while every is not None:
            time.sleep(every)
            show()
    except KeyboardInterrupt:
        if every is None:
            raise


def _part(read: Callable[[], Any]) -> Any:  # noqa: ANN401 - JSON
    try:
        return read()
    except TokenctlError as error:
        return {"error": str(error)}


def _token(deployed: Deployed, now: datetime) -> dict[str, Any]:
    stored = read_pair(deployed.target)
    try:
        settings = deployed.windows
    except TokenctlError:
        settings = DEFAULT_WINDOWS
    return {"versionId": stored.version_id, **life_of(stored.pair, now=now, settings=settings)}


def _versions(target: Target) -> list[dict[str, Any]]:
    return [
        {"versionId": version_id, "stages": stages, "createdAt": iso_utc(created)}
        for version_id, stages, created in read_versions(target)
    ]


def _last_outcome(deployed: Deployed, now: datetime) -> dict[str, Any] | None:
    line = deployed.last_line((Log.REFRESHED, Log.REFRESH_FAILED), now, *SEARCHED)
    if line is None:
        return None
    return {
        "at": line["at"],
        "outcome": "refreshed" if line["message"] == Log.REFRESHED else "failed",
        "versionId": line.get("versionId"),
        "reason": line.get("reason"),
        "detail": line.get("detail"),
    }


def _schedule(deployed: Deployed, now: datetime) -> dict[str, Any]:
    schedules = deployed.schedules()
    if not schedules:
        raise TokenctlError("The stack has no schedule. Deploy it again.")
    upcoming = next_run(schedules[0], now)
    return {
        "name": schedules[0]["Name"],
        "expression": schedules[0]["ScheduleExpression"],
        "timezone": schedules[0].get("ScheduleExpressionTimezone", "UTC"),
        "state": schedules[0]["State"],
        "nextRun": upcoming and iso_utc(upcoming),
    }


def _alarms(deployed: Deployed) -> list[dict[str, Any]]:
    return [
        {
            "name": alarm["AlarmName"],
            "state": alarm["StateValue"],
            "since": iso_utc(alarm["StateUpdatedTimestamp"]) if "StateUpdatedTimestamp" in alarm else None,
            "description": alarm.get("AlarmDescription"),
        }
        for alarm in deployed.alarms()
    ]

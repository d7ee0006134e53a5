"""`tokenctl errors`: shows what failed since the function last worked, and where the runbook has the way out."""

from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import click

from refresh_token.core.windows import iso_utc
from refresh_token.signals import Alarm
from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import watched_target_options
from tokenctl.connections.fleet_failures import fleet_failures
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.failures import Failures, failures_since_success
from tokenctl.stack.last_outcome import failure_of, last_outcome
from tokenctl.stack.runbook import entry_of
from tokenctl.stack.side_by_side import no_answer, side_by_side
from tokenctl.stack.target import Target
from tokenctl.stack.token_life import relative_to

EXAMPLES: Final = """\b
Examples:
  tokenctl errors --stage prod
  tokenctl errors --stage prod --connections
  tokenctl errors --stage prod --query 'errors[].reason' --output text
"""


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@click.option("--connections", is_flag=True, help="What failed in the functions of the fleet, in the last day.")
@watched_target_options
@output_options
def errors(*, target: Target, connections: bool, output: Output) -> None:
    """Show what failed since the function last worked, by error, with the entry of the runbook.

    Counts failed requests of consumers and ticks of the last day, and shows the last refresh if that failed while
    consumers still get the token. Shows no token.
    """
    now, deployed = datetime.now(UTC), DeployedStack(target)
    if connections or target.fleet_function is not None:
        rows = fleet_failures(deployed, now)
        report = {"readAt": iso_utc(now), "lastSuccess": None, "errors": rows}
        _tell(report, output, now, "in the last day")
        return
    tasks: dict[str, Any] = {
        "failures": partial(failures_since_success, deployed, now),
        "outcome": partial(last_outcome, deployed, now),
    }
    found: dict[str, Any] = dict(side_by_side(tasks, late=no_answer))
    failures: Failures = found["failures"]
    rows = [*_failed_requests(failures), *_failed_refresh(found["outcome"], failures)]
    for row in rows:
        row["detail"] = row["detail"] and row["detail"].replace("--stage <stage>", target.option)
    report = {"readAt": iso_utc(now), "lastSuccess": failures.last_success, "errors": rows}
    _tell(report, output, now, failures.when(now))


def _tell(report: dict[str, Any], output: Output, now: datetime, when: str) -> None:
    if output.is_structured:
        output.print("errors", report)
    else:
        _show(report, now, when)


def _failed_requests(failures: Failures) -> list[dict[str, Any]]:
    rows = [
        _row(reason, len(lines), lines[-1]["at"], lines[-1].get("detail")) for reason, lines in failures.lines.items()
    ]
    if failures.crashes:
        rows.append(_row(Alarm.FUNCTION_CRASHES, failures.crashes, None, "ended without an answer, or through a bug"))
    return sorted(rows, key=lambda row: (-row["requests"], row["reason"]))


def _failed_refresh(outcome: dict[str, Any] | None, failures: Failures) -> list[dict[str, Any]]:
    """Return the failure of the current version's last refresh, unless requests failed for the same reason."""
    failure = failure_of(failures.current, outcome)
    if failure is None or failure["reason"] in failures.lines:
        return []
    return [_row(failure["reason"], 0, failure["at"], failure["detail"])]


def _row(reason: str, requests: int, last: str | None, detail: str | None) -> dict[str, Any]:
    return {
        "reason": reason,
        "requests": requests,
        "lastAt": last,
        "detail": detail,
        "runbook": entry_of(reason),
    }


def _show(report: dict[str, Any], now: datetime, when: str) -> None:
    if not report["errors"]:
        click.echo(f"Nothing failed {when}.")
        return
    click.echo(f"Failed {when}:")
    for row in report["errors"]:
        count = f"{row['requests']} request{'s' * (row['requests'] != 1)}" if row["requests"] else "the last refresh"
        last = f", last {relative_to(now, row['lastAt'])}" if row["lastAt"] else ""
        last += f" for {row['connection']}" if row.get("connection") else ""
        click.echo(f"{row['reason']}: {count}{last}")
        if row["detail"]:
            click.echo(f"  {row['detail']}")
        click.echo(f"  see {row['runbook']}")

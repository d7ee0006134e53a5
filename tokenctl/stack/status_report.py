"""The report of `tokenctl status`, as JSON."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from refresh_token.core.refresh_policy import on_demand
from refresh_token.core.windows import iso_utc
from tokenctl.errors import TokenctlError
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.issuer import deployed_issuer
from tokenctl.stack.last_outcome import failure_of, last_outcome
from tokenctl.stack.pair_secret import list_versions, mismatch, read_pair
from tokenctl.stack.schedule import next_run
from tokenctl.stack.target import Target
from tokenctl.stack.token_life import life_of


def status_report(target: Target) -> dict[str, Any]:
    """Return the report. A part that cannot be read is `{"error": why}`."""
    now, deployed = datetime.now(UTC), DeployedStack(replace(target))  # a copy remembers nothing of an earlier report
    token, outcome = _part(lambda: _token(deployed, now)), _part(lambda: last_outcome(deployed, now))
    if "error" not in token:
        failure = None if outcome is None or "error" in outcome else failure_of(token["versionId"], outcome)
        token["failure"] = failure and failure["reason"]
    return {
        "stack": target.stack_name,
        "region": target.aws.session.region_name,
        "readAt": iso_utc(now),
        "issuer": _part(lambda: deployed_issuer(deployed)),
        "refreshPolicy": deployed.settings.policy,
        "token": token,
        "versions": _part(lambda: _versions(deployed)),
        "lastOutcome": outcome,
        "schedule": _part(lambda: _schedule(deployed, now)),
        "alarms": _part(lambda: _alarms(deployed)),
        "deadLetterQueue": _part(lambda: {"messages": deployed.count_dead_letters()}),
    }


def _part(read: Callable[[], Any]) -> Any:  # noqa: ANN401 - JSON
    try:
        return read()
    except TokenctlError as error:
        return {"error": str(error)}


def _token(deployed: DeployedStack, now: datetime) -> dict[str, Any]:
    stored, settings = read_pair(deployed), deployed.settings
    pair = stored.pair
    end = settings.grant_life.end(pair)
    return {
        "versionId": stored.version_id,
        **life_of(pair, now=now, settings=settings.windows),
        "issuedBy": None if settings.static else pair.issued_by and pair.issued_by.shown().to_document(),
        "mismatch": mismatch(deployed, pair),
        "onDemand": not settings.static and on_demand(settings.policy, pair),
        "grantedAt": pair.granted_at and iso_utc(pair.granted_at),
        "grantEndsAt": end and iso_utc(end),
        "grantEnding": end and settings.grant_life.is_ending(pair, now=now),
    }


def _versions(deployed: DeployedStack) -> list[dict[str, Any]]:
    return [
        {"versionId": version.version_id, "stages": version.stages, "createdAt": iso_utc(version.created)}
        for version in list_versions(deployed.target)
    ]


def _schedule(deployed: DeployedStack, now: datetime) -> dict[str, Any]:
    schedules = deployed.schedules
    if not schedules:
        raise TokenctlError("No schedule invokes the function. Run `cdk deploy` again.")
    at = next_run(schedules[0], now)
    return {
        "name": schedules[0]["Name"],
        "expression": schedules[0]["ScheduleExpression"],
        "timezone": schedules[0].get("ScheduleExpressionTimezone", "UTC"),
        "state": schedules[0]["State"],
        "nextRun": at and iso_utc(at),
    }


def _alarms(deployed: DeployedStack) -> list[dict[str, Any]]:
    return [
        {
            "name": alarm["AlarmName"],
            "state": alarm["StateValue"],
            "since": iso_utc(alarm["StateUpdatedTimestamp"]) if "StateUpdatedTimestamp" in alarm else None,
            "description": alarm.get("AlarmDescription"),
        }
        for alarm in deployed.alarms()
    ]

"""The report of `tokenctl status`, as JSON."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from refresh_token.core.ports import StoredPair
from refresh_token.core.refresh_policy import on_demand
from refresh_token.core.windows import iso_utc
from refresh_token.signals import Alarm
from tokenctl.errors import NONSENSE, GoneError, TokenctlError, no_sense
from tokenctl.stack.deploy_command import how_to_restore
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.failures import failures_since_success
from tokenctl.stack.issuer import deployed_issuer, issuer_title, renewal_command
from tokenctl.stack.last_outcome import failure_of, last_outcome
from tokenctl.stack.pair_secret import NoPairError, mismatch, read_pair
from tokenctl.stack.schedule import next_run, why_stopped
from tokenctl.stack.secret_versions import list_versions
from tokenctl.stack.secrets_manager import LostSecretError
from tokenctl.stack.side_by_side import side_by_side
from tokenctl.stack.target import Target
from tokenctl.stack.token_life import life_of
from tokenctl.stack.troubles import failing_fleet, failing_of, troubles_of
from tokenctl.stack.verdict import Commands, Health, Verdict, verdict_of

Examine = Callable[[DeployedStack, datetime], list[dict[str, str]]]
"""Finds what keeps the function from working, whatever the pair is; a WARN is no reason for the verdict DEAD."""

ReadFleet = Callable[[Target, datetime], dict[str, Any]]
"""Reports on the fleet of a deployment that has one."""


_NO_PAIR: Final = {"error": "This deployment keeps connections only."}
"""What stands for the parts about a pair in the report on a fleet that stands alone."""


def status_report(target: Target, examine: Examine, read_fleet: ReadFleet | None = None) -> dict[str, Any]:
    """Return the report, with `read_fleet` also that part. A part that cannot be read is `{"error": why}`."""
    now, deployed = datetime.now(UTC), DeployedStack(replace(target))  # a copy remembers nothing of an earlier report
    read: dict[str, Callable[[], Any]] = {
        "token": lambda: _token_or_error(deployed, now, lambda: read_pair(deployed)),
        "versions": lambda: _versions(deployed),
        "lastOutcome": lambda: last_outcome(deployed, now),
        "failures": lambda: _failures(deployed, now),
        "findings": lambda: examine(deployed, now),
        "schedule": lambda: _schedule(deployed, now),
        "alarms": lambda: _alarms(deployed),
        "deadLetterQueue": lambda: {"messages": deployed.count_dead_letters()},
        "issuer": lambda: deployed_issuer(deployed),
        "issuerTitle": lambda: issuer_title(deployed),
        "refreshPolicy": lambda: deployed.settings.policy,
    }
    if read_fleet is not None:
        read["fleet"] = partial(read_fleet, deployed.target, now)
    names = [*read]
    if target.fleet_function is not None:
        read = {name: read[name] for name in ("token", "findings", "alarms", "fleet")}
    found = dict(side_by_side({name: partial(_part, task) for name, task in read.items()}, late=_late))
    settings = {name: found.pop(name, _NO_PAIR) for name in ("issuer", "issuerTitle", "refreshPolicy")}
    parts = {name: found[name] for name in read if name in found}
    outcome = parts.get("lastOutcome")
    parts["token"] = _with_failure(parts["token"], None if outcome is None or "error" in outcome else outcome)
    findings = parts["findings"] if isinstance(parts["findings"], list) else []
    stopped = [finding for finding in findings if finding["level"] == "FAIL"]
    failing = [*failing_of(parts.get("failures", {})), *failing_fleet(parts.get("fleet", {}))]
    token = {**parts["token"], "unused": "fleet" in parts and is_unused(parts["token"])}
    verdict = judge(deployed, token, list(troubles_of(parts)), stopped, failing)
    return {
        "stack": target.stack_name,
        "region": target.aws.session.region_name,
        "readAt": iso_utc(now),
        "verdict": {"health": verdict.health.value, "text": verdict.text},
        **settings,
        **{
            name: parts[name] if name in parts else _without_pair(name, parts) for name in names if name not in settings
        },
    }


def _without_pair(name: str, parts: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """Return what a part is that is not read of a fleet that stands alone: its dead letters are the only ones."""
    lost = parts["fleet"].get("deadLetters")
    return _NO_PAIR if name != "deadLetterQueue" or lost is None else {"messages": lost}


def is_unused(token: Mapping[str, Any]) -> bool:
    """Tell whether a deployment with connections does without a pair of its own."""
    return bool(token.get("notSeeded") or token.get("movedTo"))


def judge(
    deployed: DeployedStack,
    token: dict[str, Any],
    troubles: list[str],
    stopped: list[dict[str, str]],
    failing: list[dict[str, str]],
) -> Verdict:
    """Return the verdict, with the commands of this deployment."""
    try:
        commands = Commands(
            renew=renewal_command(deployed),
            refresh=f"tokenctl refresh {deployed.target.option}",
            static=deployed.settings.static,
            empty=f"tokenctl seed {deployed.target.option}",
            signs_in=deployed.settings.spends != "nothing",
        )
    except TokenctlError as error:  # AWS does not answer
        return Verdict(health=Health.DEGRADED, text="; ".join([f"the deployment cannot be read. {error}", *troubles]))
    return verdict_of(token, troubles, commands, stopped, failing)


def _failures(deployed: DeployedStack, now: datetime) -> dict[str, Any]:
    failures = failures_since_success(deployed, now)
    crashes = {Alarm.FUNCTION_CRASHES: failures.crashes} if failures.crashes else {}
    return {
        "since": iso_utc(failures.start),
        "lastSuccess": failures.last_success,
        "byReason": {**failures.by_reason, **crashes},
        "allFailed": failures.all_failed,
    }


def _part(read: Callable[[], Any]) -> Any:  # noqa: ANN401 - JSON
    try:
        return read()
    except GoneError as error:
        return {"error": str(error), "gone": error.what}
    except TokenctlError as error:
        return {"error": str(error)}
    except NONSENSE as error:
        return {"error": no_sense(error)}


def _late(seconds: float) -> dict[str, Any]:
    return {"error": f"No answer within {seconds:g} seconds.", "noPair": False}


def token_report(
    deployed: DeployedStack, now: datetime, read: Callable[[], StoredPair], outcome: dict[str, Any] | None
) -> dict[str, Any]:
    """Return the part about the token; `outcome` is that of the last refresh, if it is known."""
    return _with_failure(_token_or_error(deployed, now, read), outcome)


def _with_failure(token: dict[str, Any], outcome: dict[str, Any] | None) -> dict[str, Any]:
    """Return the part about the token with the name of the error, if the outcome is the failure of this version."""
    if "error" in token:
        return token
    failure = failure_of(token["versionId"], outcome)
    return {**token, "failure": failure and failure["reason"]}


def _token_or_error(deployed: DeployedStack, now: datetime, read: Callable[[], StoredPair]) -> dict[str, Any]:
    if deployed.target.fleet_function is not None:
        return {**_NO_PAIR, "noPair": True, "notSeeded": True}
    try:
        return _token(deployed, now, read())
    except LostSecretError as error:
        return {"error": str(error), "noPair": False, "restore": error.how}
    except NoPairError as error:
        revoked = {"revokedAt": error.revoked_at} if error.revoked_at else {}
        moved = {"movedTo": error.moved_to} if error.moved_to else {}
        return {"error": str(error), "noPair": True, "notSeeded": error.not_seeded, **revoked, **moved}
    except TokenctlError as error:
        return {"error": str(error), "noPair": False}


def _token(deployed: DeployedStack, now: datetime, stored: StoredPair) -> dict[str, Any]:
    pair, settings = stored.pair, deployed.settings
    end = settings.grant_life.end(pair)
    return {
        "versionId": stored.version_id,
        **life_of(pair, now=now, settings=settings.windows, spends=settings.spends),
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
        raise GoneError("the schedule", f"To restore it: {how_to_restore(deployed.target)}.")
    at = next_run(schedules[0], now)
    return {
        "name": schedules[0]["Name"],
        "expression": schedules[0]["ScheduleExpression"],
        "timezone": schedules[0].get("ScheduleExpressionTimezone", "UTC"),
        "state": schedules[0]["State"],
        "stopped": why_stopped(schedules[0], now),
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

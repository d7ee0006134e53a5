"""Checks of what keeps the token alive: schedule, runs, errors, alarms and dead letters."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from refresh_token.signals import Alarm, Log
from tokenctl.checks.check import Finding, Level, Subject
from tokenctl.errors import GoneError
from tokenctl.stack.deployed_stack import short_alarm_name
from tokenctl.stack.failures import failures_since_success
from tokenctl.stack.function_log import last_line
from tokenctl.stack.runbook import entry_of
from tokenctl.stack.schedule import why_stopped
from tokenctl.stack.target import LIVE
from tokenctl.stack.token_life import duration, relative_to

DAY: Final = timedelta(days=1)
LOG_DELAY: Final = timedelta(minutes=5)
"""How long a log line may take until it can be found."""


def check_schedule(subject: Subject) -> Finding:
    """Check that the schedule exists, is enabled, and calls the alias with its own role."""
    schedules = subject.deployed.schedules
    if not schedules:
        return Finding(Level.FAIL, "the schedule is gone: nothing keeps the token alive", subject.restore)
    schedule = schedules[0]
    expression, faults = schedule["ScheduleExpression"], list(_faults(subject, schedule))
    if not faults:
        return Finding(Level.OK, f"{expression} is ENABLED")
    text = f"{expression} {', '.join(faults)}: nothing keeps the token alive"
    return Finding(Level.FAIL, text, subject.restore)


def _faults(subject: Subject, schedule: Mapping[str, Any]) -> Iterator[str]:
    if why := why_stopped(schedule, subject.now):
        yield why
    if subject.target.named_function is not None:
        return
    target = schedule["Target"]
    if target["Arn"] != subject.target.outputs.get("FunctionAliasArn", target["Arn"]):
        yield f"does not call the alias `{LIVE}`"
    if target["RoleArn"].rpartition("/")[2] not in subject.deployed.resources.get("AWS::IAM::Role", []):
        yield "has another role than the stack's"


def check_last_run(subject: Subject) -> Finding:
    """Check that the schedule ran lately. Every run logs that it checked the token, even if it then fails."""
    if subject.keeps_connections_only:
        return Finding(Level.SKIP, "the stack keeps connections only: see the check `dispatches`")
    schedules = subject.deployed.schedules
    period = subject.deployed.period or DAY
    span = 2 * period + LOG_DELAY
    line = last_line(subject.deployed, (Log.TOKEN_CHECKED,), subject.now, span)
    if line is not None:
        return Finding(Level.OK, f"the schedule ran {relative_to(subject.now, line['at'])}")
    created = schedules[0].get("CreationDate") if schedules else None
    if isinstance(created, datetime) and created.astimezone(UTC) + period > subject.now:
        return Finding(Level.OK, "the schedule is new and has not run yet")
    within = duration(span.total_seconds())
    return Finding(
        Level.WARN,
        f"the log shows no scheduled run in the last {within}",
        f"read {entry_of(Alarm.NO_HEARTBEAT)}",
    )


def check_errors(subject: Subject) -> Finding:
    """Check that nothing failed since the last success; a caller's wrong request does not count."""
    failures = failures_since_success(subject.deployed, subject.now)
    invalid = failures.invalid_requests
    aside = f", not counting {invalid} wrong request{'s' * (invalid > 1)}" if invalid else ""
    when = failures.when(subject.now)
    found = [f"{count} {reason}" for reason, count in sorted(failures.by_reason.items())]
    if failures.crashes:
        found.append(f"{failures.crashes} without an answer")
    if not found:
        return Finding(Level.OK, f"no request failed {when}{aside}")
    entries = dict.fromkeys(map(entry_of, [*failures.by_reason, *[Alarm.FUNCTION_CRASHES] * bool(failures.crashes)]))
    fix = f"see {', '.join(entries)}"
    if failures.all_failed:
        return Finding(Level.FAIL, f"every request has failed {when}: {', '.join(found)}{aside}", fix)
    return Finding(Level.WARN, f"requests failed {when}: {', '.join(found)}{aside}", fix)


def check_alarms(subject: Subject) -> Finding:
    """Check that all alarms exist, and that none is in the state ALARM."""
    found = subject.deployed.alarms()
    if gone := sorted({*subject.deployed.alarm_names} - {alarm["AlarmName"] for alarm in found}):
        return Finding(Level.FAIL, f"gone: {', '.join(map(short_alarm_name, gone))}", subject.restore)
    alarms = [alarm for alarm in found if "AlarmRule" not in alarm]  # composites repeat the others
    ringing = [short_alarm_name(alarm["AlarmName"]) for alarm in alarms if alarm["StateValue"] == "ALARM"]
    if ringing:
        entries = dict.fromkeys(map(entry_of, ringing))
        return Finding(Level.FAIL, f"in ALARM: {', '.join(ringing)}", f"see {', '.join(entries)}")
    if not alarms:
        return Finding(Level.WARN, "the stack has no alarms", "see docs/infrastructure.md#alarms")
    if silent := [alarm["AlarmName"] for alarm in alarms if not alarm.get("ActionsEnabled", True)]:
        text = f"the actions are disabled of {', '.join(map(short_alarm_name, silent))}: nobody is told"
        return Finding(Level.FAIL, text, subject.restore)
    return Finding(Level.OK, f"none of the {len(alarms)} alarms is in ALARM")


def check_subscribers(subject: Subject) -> Finding:
    """Check that somebody is told when an alarm goes off."""
    topics = subject.deployed.alarm_topics
    if not topics:
        return Finding(Level.WARN, "no alarm notifies a topic", "set `alarm_email` and deploy", urgent=False)
    found = subject.deployed.alarm_subscriptions()
    confirmed = sum(arn.startswith("arn:") for arn in found)
    if confirmed:
        return Finding(Level.OK, f"{confirmed} subscriber{'s' * (confirmed > 1)} to the alarms")
    if found:
        return Finding(
            Level.WARN,
            "nobody has confirmed a subscription to the alarms yet",
            "follow the link in the e-mail from SNS",
            urgent=False,
        )
    return Finding(
        Level.WARN,
        "nobody is told when an alarm goes off",
        f"set `alarm_email` and deploy, or `aws sns subscribe --topic-arn {topics[0]} --protocol email "
        "--notification-endpoint <address>`",
        urgent=False,
    )


def check_dead_letters(subject: Subject) -> Finding:
    """Check that the dead-letter queue exists and is empty."""
    try:
        count = subject.deployed.count_dead_letters()
    except GoneError as error:
        return Finding(Level.FAIL, str(error), subject.restore)
    if count:
        option = subject.target.option
        return Finding(
            Level.FAIL,
            f"{count} message{'s' * (count > 1)} waiting in the dead-letter queue",
            f"`tokenctl dead-letters {option}` shows why; then `tokenctl dead-letters redrive {option}`",
        )
    return Finding(Level.OK, "the dead-letter queue is empty")

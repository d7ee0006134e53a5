"""Checks of what keeps the connections of a fleet alive: functions, schedule, queue."""

from collections.abc import Callable
from typing import Any, Final

from refresh_token.fleet.signals import FleetAlarm
from tokenctl.checks.check import Finding, Level, Subject
from tokenctl.connections.fleet_parts import ASK, DISPATCHER, WORKER
from tokenctl.connections.fleet_queues import count_messages, queue_url
from tokenctl.errors import GoneError
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.deploy_command import how_to_recreate
from tokenctl.stack.runbook import entry_of
from tokenctl.stack.schedule import why_stopped
from tokenctl.stack.target import LIVE

_ROLES: Final = {
    ASK: ("the function that consumers ask", "no consumer gets a token"),
    WORKER: ("the worker", "nothing is refreshed before a consumer asks"),
    DISPATCHER: ("the dispatcher", "nothing is refreshed before a consumer asks"),
}
"""What a function is, and what follows if it does not run."""

_ENABLED: Final = frozenset({"Enabled", "Enabling", "Updating", "Creating"})
"""States of an event source mapping that takes messages, or will in a moment (Lambda API reference)."""


def function_check(module: str) -> Callable[[Subject], Finding]:
    """Return the check that one of the functions exists, can run, and has its alias if consumers call it."""

    def check(subject: Subject) -> Finding:
        what, follows = _ROLES[module]
        configuration = subject.fleet_parts.functions.get(module)
        if configuration is None:
            return Finding(Level.FAIL, f"{what} is gone: {follows}", how_to_recreate(subject.target))
        name = configuration["FunctionName"]
        if configuration.get("State") == "Failed":
            why = configuration.get("StateReason", "it gives no reason")
            return Finding(Level.FAIL, f"Lambda cannot run {what}: {why}", how_to_recreate(subject.target))
        client = subject.target.aws.client("lambda")
        with translate_aws_errors():
            reserved = client.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
        if reserved == 0:
            text = f"the reserved concurrency of {what} is 0, as the button Throttle sets it: {follows}"
            return Finding(Level.FAIL, text, subject.restore)
        if module == ASK and not _has_alias(client, name):
            return Finding(Level.FAIL, f"{what} has no alias `{LIVE}`: {follows}", subject.restore)
        return Finding(Level.OK, f"{name} exists")

    return check


def _has_alias(client: Any, name: str) -> bool:  # noqa: ANN401 - a boto3 client
    with translate_aws_errors():
        try:
            client.get_alias(FunctionName=name, Name=LIVE)
        except client.exceptions.ResourceNotFoundException:
            return False
    return True


def check_mapping(subject: Subject) -> Finding:
    """Check that the worker gets the messages of the queue."""
    follows = "no message reaches the worker"
    mappings = subject.fleet_parts.mappings
    if not mappings:
        return Finding(
            Level.FAIL, f"the queue's event source mapping is gone: {follows}", how_to_recreate(subject.target)
        )
    (mapping,) = mappings
    state, enable = mapping["State"], f"`aws lambda update-event-source-mapping --uuid {mapping['UUID']} --enabled`"
    if state not in _ENABLED:
        return Finding(Level.FAIL, f"the queue's event source mapping is {state}: {follows}", enable)
    if "ReportBatchItemFailures" not in mapping.get("FunctionResponseTypes", ()):
        text = "the queue's event source mapping does not report failures of single messages"
        fix = f"{enable[:-11]} --function-response-types ReportBatchItemFailures`"
        return Finding(Level.WARN, text, fix)
    most = mapping.get("ScalingConfig", {}).get("MaximumConcurrency")
    return Finding(
        Level.OK, f"the queue's event source mapping is {state}{(most and f', for up to {most} workers') or ''}"
    )


def check_dispatch_schedule(subject: Subject) -> Finding:
    """Check that the schedule of the dispatcher exists and is enabled."""
    follows = "nothing is refreshed before a consumer asks"
    schedules = subject.fleet_parts.schedules
    if not schedules:
        return Finding(Level.FAIL, f"the dispatcher's schedule is gone: {follows}", subject.restore)
    expression = schedules[0]["ScheduleExpression"]
    if why := why_stopped(schedules[0], subject.now):
        return Finding(Level.FAIL, f"the dispatcher's {expression} {why}: {follows}", subject.restore)
    return Finding(Level.OK, f"the dispatcher's {expression} is ENABLED")


def check_queues(subject: Subject) -> Finding:
    """Check that the queue between dispatcher and workers exists, with its dead-letter queue, which is empty."""
    try:
        waiting = count_messages(subject.fleet, "QueueUrl")
        lost = count_messages(subject.fleet, "DeadLetterQueueUrl").waiting
    except GoneError as error:
        return Finding(Level.FAIL, str(error), subject.restore)
    if lost:
        option = subject.target.option
        text = f"{lost} message{'s' * (lost > 1)} waiting in the dead-letter queue of the connections"
        fix = f"`tokenctl dead-letters {option} --connections` shows them; see {entry_of(FleetAlarm.DEAD_LETTERS)}"
        return Finding(Level.FAIL, text, fix)
    name = queue_url(subject.fleet, "QueueUrl").rpartition("/")[2]
    return Finding(Level.OK, f"{name}: {waiting.waiting} waiting, {waiting.under_way} under way; no dead letters")

"""Checks of what keeps the connections of a fleet alive: functions, schedule, queue."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from refresh_token.environment import CONNECTIONS_TABLE
from refresh_token.fleet.settings import CONNECTIONS_KEY, CONNECTIONS_QUEUE_URL
from refresh_token.fleet.signals import FleetAlarm
from tokenctl.checks.check import Finding, Level, Subject
from tokenctl.connections.fleet_parts import ASK, DISPATCHER, WORKER
from tokenctl.connections.fleet_queues import count_messages, queue_url
from tokenctl.drift.mappings import ENABLED
from tokenctl.errors import GoneError
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.deploy_command import how_to_recreate
from tokenctl.stack.runbook import entry_of
from tokenctl.stack.schedule import period_of, why_stopped
from tokenctl.stack.target import LIVE

_ROLES: Final = {
    ASK: ("the function that consumers ask", "no consumer gets a token"),
    WORKER: ("the worker", "nothing is refreshed before a consumer asks"),
    DISPATCHER: ("the dispatcher", "nothing is refreshed before a consumer asks"),
}
"""What a function is, and what follows if it does not run."""

PERIOD: Final = timedelta(minutes=1)
"""How often the dispatcher runs."""


def function_check(module: str) -> Callable[[Subject], Finding]:
    """Return the check that one of the functions exists, can run, and has its alias if consumers call it."""

    def check(subject: Subject) -> Finding:
        what, follows = _ROLES[module]
        configuration = subject.fleet_parts.functions.get(module)
        if configuration is None:
            return Finding(Level.FAIL, f"{what} is gone, or has another handler: {follows}", subject.restore)
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
        if module == ASK:
            configuration = subject.fleet.function.function_configuration
        if others := _of_others(subject, configuration):
            text = f"{what} does not use what is the stack's: see its {' and '.join(others)}"
            return Finding(Level.FAIL, text, subject.restore, stops=False)
        return Finding(Level.OK, f"{name} exists")

    return check


def _of_others(subject: Subject, configuration: Mapping[str, Any]) -> list[str]:
    """Return the variables that do not name the table, the key or the queue of the stack."""
    variables = configuration.get("Environment", {}).get("Variables", {})
    ours = {
        CONNECTIONS_TABLE: subject.fleet.table,
        CONNECTIONS_KEY: subject.fleet.key_arn,
        CONNECTIONS_QUEUE_URL: queue_url(subject.fleet, "QueueUrl"),
    }
    return [name for name, value in ours.items() if variables.get(name) != value]


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
    faults = list(_faults_of_mapping(subject, mapping))
    if faults:
        text = f"the queue's event source mapping {', '.join(faults)}: {follows}"
        return Finding(Level.FAIL, text, subject.restore)
    if "ReportBatchItemFailures" not in mapping.get("FunctionResponseTypes", ()):
        text = "the queue's event source mapping does not report failures of single messages"
        return Finding(Level.WARN, text, subject.restore)
    if others := subject.fleet_parts.other_mappings:
        text = (
            f"the queue has {len(others)} more event source mapping{'s' * (len(others) > 1)}, which take its messages"
        )
        return Finding(Level.WARN, text, f"`aws lambda delete-event-source-mapping --uuid {others[0]}`")
    most = mapping.get("ScalingConfig", {}).get("MaximumConcurrency")
    return Finding(
        Level.OK,
        f"the queue's event source mapping is {mapping['State']}{(most and f', for up to {most} workers') or ''}",
    )


def _faults_of_mapping(subject: Subject, mapping: Mapping[str, Any]) -> Iterator[str]:
    if mapping["State"] not in ENABLED:
        yield f"is {mapping['State']}"
    if mapping["FunctionArn"].rpartition(":")[2] != subject.fleet_parts.functions[WORKER]["FunctionName"]:
        yield "calls another function"
    if (mapping.get("FilterCriteria") or {}).get("Filters"):
        yield "has a filter, so Lambda deletes what it does not let through"


def check_dispatch_schedule(subject: Subject) -> Finding:
    """Check that the schedule of the dispatcher exists and is enabled."""
    follows = "nothing is refreshed before a consumer asks"
    schedules = subject.fleet_parts.schedules
    if not schedules:
        return Finding(Level.FAIL, f"the dispatcher's schedule is gone: {follows}", subject.restore)
    expression, faults = schedules[0]["ScheduleExpression"], list(_faults_of_schedule(subject, schedules[0]))
    if faults:
        text = f"the dispatcher's {expression} {', '.join(faults)}: {follows}"
        return Finding(Level.FAIL, text, subject.restore)
    return Finding(Level.OK, f"the dispatcher's {expression} is ENABLED")


def _faults_of_schedule(subject: Subject, schedule: Mapping[str, Any]) -> Iterator[str]:
    if why := why_stopped(schedule, subject.now):
        yield why
    if period_of(schedule["ScheduleExpression"]) != PERIOD:
        yield "does not run each minute"
    if schedule["Target"]["RoleArn"].rpartition("/")[2] not in subject.deployed.resources.get("AWS::IAM::Role", ()):
        yield "has another role than the stack's"


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

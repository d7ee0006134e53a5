"""What a deployed stack says of itself. What cannot be read raises ServiceError or ConfigurationError."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final

from refresh_token.signals import Log
from refresh_token.windows import WindowSettings, iso_utc
from tokenctl.stack.target import Target, explained
from tokenctl.stack.token_life import DEFAULT_WINDOWS

_RATE: Final = re.compile(r"rate\((\d{1,6}) (minute|hour|day)s?\)")
_ALARM: Final = re.compile(r"-Monitoring([A-Za-z]+)[0-9A-F]{8}(?:-|$)")
_MOST_PAGES: Final = 50
"""Of log events; a page is up to 1 MB that was searched."""


class Deployed:
    """The stack as it is now; what was read once is kept."""

    def __init__(self, target: Target) -> None:
        self.target = target

    @cached_property
    def configuration(self) -> dict[str, Any]:
        """Return the function's configuration."""
        client, name = self.target.connection.client("lambda"), self.target.function_name
        with explained([self.target.named_function] if self.target.named_function else ()):
            configuration: dict[str, Any] = client.get_function_configuration(FunctionName=name)
        return configuration

    @cached_property
    def resources(self) -> dict[str, list[str]]:
        """Return resource type to physical names."""
        client = self.target.connection.client("cloudformation")
        found: dict[str, list[str]] = {}
        with explained():
            for page in client.get_paginator("list_stack_resources").paginate(StackName=self.target.stack_name):
                for resource in page.get("StackResourceSummaries", []):
                    found.setdefault(resource["ResourceType"], []).append(resource.get("PhysicalResourceId", ""))
        return found

    @property
    def windows(self) -> WindowSettings:
        """Return the windows that the function works with."""
        variables = self.configuration.get("Environment", {}).get("Variables", {})
        advisory, mandatory = (variables.get(f"{name}_WINDOW_SECONDS", "") for name in ("ADVISORY", "MANDATORY"))
        if not (advisory.isdecimal() and mandatory.isdecimal()):
            return DEFAULT_WINDOWS
        return WindowSettings(advisory=timedelta(seconds=int(advisory)), mandatory=timedelta(seconds=int(mandatory)))

    def schedules(self) -> list[dict[str, Any]]:
        """Return what EventBridge Scheduler knows of the stack's schedules."""
        client = self.target.connection.client("scheduler")
        found = []
        for group in self.resources.get("AWS::Scheduler::ScheduleGroup", []):
            with explained():
                names = [summary["Name"] for summary in client.list_schedules(GroupName=group)["Schedules"]]
                found += [client.get_schedule(Name=name, GroupName=group) for name in names]
        return found

    def alarms(self) -> list[dict[str, Any]]:
        """Return the stack's alarms, those that ring first."""
        client, names = self.target.connection.client("cloudwatch"), self.resources.get("AWS::CloudWatch::Alarm", [])
        if not names:
            return []  # without names CloudWatch would list those of the whole account
        with explained():
            alarms: list[dict[str, Any]] = client.describe_alarms(AlarmNames=names)["MetricAlarms"]
        return sorted(alarms, key=lambda alarm: (alarm["StateValue"] != "ALARM", alarm["AlarmName"]))

    def dead_letters(self) -> int:
        """Return about how many messages wait in the dead-letter queue."""
        client, url = self.target.connection.client("sqs"), self.target.output("DeadLetterQueueUrl")
        with explained():
            answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def errors(self, now: datetime, span: timedelta) -> int:
        """Return how many invocations of the function failed."""
        client = self.target.connection.client("cloudwatch")
        with explained():
            answer = client.get_metric_statistics(
                Namespace="AWS/Lambda",
                MetricName="Errors",
                Dimensions=[{"Name": "FunctionName", "Value": self.configuration["FunctionName"]}],
                StartTime=now - span,
                EndTime=now,
                Period=3600,
                Statistics=["Sum"],
            )
        return int(sum(point["Sum"] for point in answer["Datapoints"]))

    def wrong_requests(self, now: datetime, span: timedelta) -> int:
        """Return how many of these failures were the caller's: the request was refused."""
        lines = self._lines((Log.REQUEST_FAILED,), now - span)
        return sum(line.get("reason") == "InvalidParameterException" for line in lines)

    def last_line(self, messages: tuple[str, ...], now: datetime, *spans: timedelta) -> dict[str, Any] | None:
        """Return the function's last log line with one of the messages; `spans` are looked through one by one."""
        for span in spans:
            lines = [line for line in self._lines(messages, now - span) if line["message"] in messages]
            if lines:
                lines.sort(key=lambda line: str(line["at"]))  # stable: of two in a second the later one is last
                return lines[-1]
        return None

    def _lines(self, messages: tuple[str, ...], start: datetime) -> Iterator[dict[str, Any]]:
        client, group = self.target.connection.client("logs"), self.configuration["LoggingConfig"]["LogGroup"]
        pattern = " || ".join(f'($.message = "{message}")' for message in messages)
        begin = int(start.timestamp() * 1000)
        pages = client.get_paginator("filter_log_events").paginate(
            logGroupName=group, filterPattern=f"{{ {pattern} }}", startTime=begin
        )
        with explained():
            for _, page in zip(range(_MOST_PAGES), pages, strict=False):
                for event in page["events"]:
                    line = _json_object(event["message"])
                    at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
                    yield {"message": None, **line, "at": iso_utc(at)}


def short_name(alarm: str) -> str:
    """Return the name that the runbook uses; CloudFormation puts stack and digits around it."""
    match = _ALARM.search(alarm)
    return match[1] if match else alarm


def period_of(expression: str) -> timedelta | None:
    """Return the period of a rate expression; None for a cron expression."""
    rate = _RATE.fullmatch(expression)
    return timedelta(**{f"{rate[2]}s": int(rate[1])}) if rate else None


def next_run(schedule: dict[str, Any], now: datetime) -> datetime | None:
    """Return about when a schedule runs next: a rate counts from the last change. None: not known, or never."""
    period = period_of(schedule["ScheduleExpression"])
    begun = schedule.get("LastModificationDate") or schedule.get("CreationDate")
    if not period or schedule["State"] != "ENABLED" or not isinstance(begun, datetime):
        return None
    runs = max((now - begun) // period + 1, 1)
    return begun.astimezone(UTC) + runs * period


def _json_object(text: str) -> dict[str, Any]:
    try:
        line = json.loads(text)
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}

"""What AWS knows about a deployed stack. Whatever cannot be read raises ServiceError or ConfigurationError."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from refresh_token.core.windows import WindowSettings
from refresh_token.environment import ADVISORY_WINDOW, MANDATORY_WINDOW
from refresh_token.signals import ALARMS
from tokenctl.errors import TokenctlError
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.target import Target
from tokenctl.stack.token_life import DEFAULT_WINDOWS

_ALARM: Final = re.compile(rf"-{ALARMS}([A-Za-z]+)[0-9A-F]{{8}}(?:-|$)")


class DeployedStack:
    """The stack as it is deployed; its function's configuration and its resources are read once."""

    def __init__(self, target: Target) -> None:
        self.target = target

    @cached_property
    def function_configuration(self) -> dict[str, Any]:
        """The answer of GetFunctionConfiguration."""
        client, name = self.target.aws.client("lambda"), self.target.function_name
        with translate_aws_errors(self.target.function_name_secrets):
            configuration: dict[str, Any] = client.get_function_configuration(FunctionName=name)
        return configuration

    @property
    def function_variables(self) -> Mapping[str, str]:
        """The function's environment variables."""
        variables: Mapping[str, str] = self.function_configuration.get("Environment", {}).get("Variables", {})
        return variables

    @cached_property
    def resources(self) -> dict[str, list[str]]:
        """The physical names of the stack's resources, by resource type."""
        client = self.target.aws.client("cloudformation")
        names: dict[str, list[str]] = {}
        with translate_aws_errors():
            for page in client.get_paginator("list_stack_resources").paginate(StackName=self.target.stack_name):
                for resource in page.get("StackResourceSummaries", []):
                    names.setdefault(resource["ResourceType"], []).append(resource.get("PhysicalResourceId", ""))
        return names

    @property
    def windows(self) -> WindowSettings:
        """The windows that the function uses; the defaults if the operator may not read its configuration."""
        try:
            variables = self.function_variables
        except TokenctlError:
            return DEFAULT_WINDOWS
        advisory, mandatory = (variables.get(name, "") for name in (ADVISORY_WINDOW, MANDATORY_WINDOW))
        if not (advisory.isdecimal() and mandatory.isdecimal()):
            return DEFAULT_WINDOWS
        return WindowSettings(advisory=timedelta(seconds=int(advisory)), mandatory=timedelta(seconds=int(mandatory)))

    def schedules(self) -> list[dict[str, Any]]:
        """Return the stack's schedules, as EventBridge Scheduler describes them."""
        client = self.target.aws.client("scheduler")
        schedules = []
        for group in self.resources.get("AWS::Scheduler::ScheduleGroup", []):
            with translate_aws_errors():
                names = [summary["Name"] for summary in client.list_schedules(GroupName=group)["Schedules"]]
                schedules += [client.get_schedule(Name=name, GroupName=group) for name in names]
        return schedules

    def alarms(self) -> list[dict[str, Any]]:
        """Return the stack's alarms, those in the state ALARM first."""
        client, names = self.target.aws.client("cloudwatch"), self.resources.get("AWS::CloudWatch::Alarm", [])
        if not names:
            return []  # without names, CloudWatch lists every alarm of the account
        with translate_aws_errors():
            alarms: list[dict[str, Any]] = client.describe_alarms(AlarmNames=names)["MetricAlarms"]
        return sorted(alarms, key=lambda alarm: (alarm["StateValue"] != "ALARM", alarm["AlarmName"]))

    def count_dead_letters(self) -> int:
        """Return the approximate number of messages in the dead-letter queue."""
        client, url = self.target.aws.client("sqs"), self.target.output("DeadLetterQueueUrl")
        with translate_aws_errors():
            answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def function_errors(self, now: datetime, span: timedelta) -> int:
        """Return how many invocations of the function failed."""
        client = self.target.aws.client("cloudwatch")
        with translate_aws_errors():
            answer = client.get_metric_statistics(
                Namespace="AWS/Lambda",
                MetricName="Errors",
                Dimensions=[{"Name": "FunctionName", "Value": self.function_configuration["FunctionName"]}],
                StartTime=now - span,
                EndTime=now,
                Period=3600,
                Statistics=["Sum"],
            )
        return int(sum(point["Sum"] for point in answer["Datapoints"]))


def short_alarm_name(physical_name: str) -> str:
    """Return the alarm's name in the runbook, without the stack's name and the digits that CloudFormation adds."""
    match = _ALARM.search(physical_name)
    return match[1] if match else physical_name

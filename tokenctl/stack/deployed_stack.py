"""What AWS knows about a deployment. Whatever cannot be read raises ServiceError or ConfigurationError."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from refresh_token.environment import ADVISORY_WINDOW, LOCK_TABLE, MANDATORY_WINDOW, SECRET_ARN
from refresh_token.errors import ConfigurationException
from refresh_token.settings import Settings
from refresh_token.signals import ALARMS
from tokenctl.errors import GoneError, TokenctlError
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.once import Once
from tokenctl.stack.schedule import period_of
from tokenctl.stack.target import Target

_ALARM: Final = re.compile(rf"-(?:Connections)?{ALARMS}([A-Za-z0-9]+)[0-9A-F]{{8}}(?:-|$)")
_DEFAULTS: Final[Mapping[str, str]] = {
    SECRET_ARN: "unknown",
    LOCK_TABLE: "unknown",
    ADVISORY_WINDOW: str(7 * 86_400),
    MANDATORY_WINDOW: str(86_400),
}
"""The variables that each function has, with the stack's defaults."""


class DeployedStack:
    """The deployment of a target; its settings and its resources are read once."""

    def __init__(self, target: Target) -> None:
        self.target = target

    @Once
    def resources(self) -> dict[str, list[str]]:
        """The physical names of the stack's resources, by resource type."""
        client = self.target.aws.client("cloudformation")
        names: dict[str, list[str]] = {}
        with translate_aws_errors():
            for page in client.get_paginator("list_stack_resources").paginate(StackName=self.target.stack_name):
                for resource in page.get("StackResourceSummaries", []):
                    names.setdefault(resource["ResourceType"], []).append(resource.get("PhysicalResourceId", ""))
        return names

    @Once
    def settings(self) -> Settings:
        """The function's settings; the defaults if the operator may not read them, or if they are wrong."""
        try:
            return Settings.from_environment({**_DEFAULTS, **self.target.function_variables})
        except (TokenctlError, ConfigurationException):
            return Settings.from_environment(_DEFAULTS)

    @property
    def function_version(self) -> str | None:
        """The version of the function that the stack has deployed; None without a stack."""
        if self.target.named_function is not None:
            return None
        of_function = f":function:{self.target.function_name}:"
        versions = [arn.rpartition(of_function)[2] for arn in self.resources.get("AWS::Lambda::Version", [])]
        return max((version for version in versions if version.isdecimal()), key=int, default=None)

    @property
    def lock_table(self) -> str | None:
        """The name of the lock table; None if it is not known."""
        if self.target.named_function is None:
            connections = self.target.outputs.get("ConnectionsTableName")
            tables = self.resources.get("AWS::DynamoDB::Table", [])
            return next((table for table in tables if table != connections), None)
        return self.target.function_variables.get(LOCK_TABLE) or None

    @property
    def schedules(self) -> list[dict[str, Any]]:
        """The schedules that invoke the function, as EventBridge Scheduler describes them."""
        return [schedule for schedule in self._schedules if not self._is_of_another_function(schedule)]

    @property
    def other_schedules(self) -> list[dict[str, Any]]:
        """The stack's schedules that invoke another function of the stack."""
        return [schedule for schedule in self._schedules if self._is_of_another_function(schedule)]

    @Once
    def _schedules(self) -> list[dict[str, Any]]:
        client = self.target.aws.client("scheduler")
        with translate_aws_errors():
            return [
                client.get_schedule(Name=found["Name"], GroupName=found["GroupName"])
                for found in self._schedule_summaries(client)
            ]

    def _is_of_another_function(self, schedule: Mapping[str, Any]) -> bool:
        if self.target.named_function is not None:
            return False
        function = schedule["Target"]["Arn"].partition(":function:")[2].partition(":")[0]
        ours = self.target.function_name if self.target.fleet_function is None else ""
        return function != ours and function in self.resources.get("AWS::Lambda::Function", [])

    @property
    def period(self) -> timedelta | None:
        """The time between two runs; None if it is not known or not regular."""
        try:
            return period_of(self.schedules[0]["ScheduleExpression"]) if self.schedules else None
        except TokenctlError:
            return None

    def _schedule_summaries(self, client: Any) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401 - a boto3 client
        """Yield those in the stack's groups; without a stack, all those whose target is the function."""
        if self.target.named_function is None:
            for group in self.resources.get("AWS::Scheduler::ScheduleGroup", []):
                yield from client.list_schedules(GroupName=group)["Schedules"]
            return
        function = f":function:{self.target.stack_name}"
        for page in client.get_paginator("list_schedules").paginate():
            for found in page["Schedules"]:
                if f"{found['Target']['Arn']}:".find(f"{function}:") >= 0:
                    yield found

    @property
    def alarm_names(self) -> list[str]:
        """The names of the stack's alarms; none without a stack."""
        if self._is_of_another_app:
            return []
        kinds = ("AWS::CloudWatch::CompositeAlarm", "AWS::CloudWatch::Alarm")
        return [name for kind in kinds for name in self.resources.get(kind, [])]

    def alarms(self) -> list[dict[str, Any]]:
        """Return the deployment's alarms, those in the state ALARM first."""
        client = self.target.aws.client("cloudwatch")
        with translate_aws_errors():
            alarms = list(self._alarms(client))
        return sorted(alarms, key=lambda alarm: (alarm["StateValue"] != "ALARM", alarm["AlarmName"]))

    def _alarms(self, client: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - a boto3 client
        """Yield those of our stack; of another app's, those that watch the function, its metrics or its queues."""
        if not self._is_of_another_app:
            if self.alarm_names:  # without names, CloudWatch lists every alarm of the account
                found = client.describe_alarms(
                    AlarmNames=self.alarm_names, AlarmTypes=["CompositeAlarm", "MetricAlarm"]
                )
                yield from [*found["CompositeAlarms"], *found["MetricAlarms"]]
            return
        watched = {*self._watched()}
        for page in client.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"]):
            for alarm in page["MetricAlarms"]:
                if watched & set(_dimension_values(alarm)):
                    yield alarm

    @property
    def _is_of_another_app(self) -> bool:
        return self.target.named_function is not None or self.target.fleet_function is not None

    def _watched(self) -> Iterator[str]:
        """Yield what the alarms of another app's stack have as a dimension, if they are ours."""
        fleet = self.target.fleet_function
        target = self.target if fleet is None else Target(aws=self.target.aws, named_function=fleet)
        yield target.stack_name
        yield target.function_variables.get("POWERTOOLS_SERVICE_NAME", "")
        queue = self.dead_letter_queue_url if fleet is None else self.target.output("ConnectionsQueueUrl")
        yield queue.rpartition("/")[2]

    @Once
    def alarm_topics(self) -> list[str]:
        """The ARNs of the topics that the alarms notify."""
        alarms = self.alarms()
        return sorted({action for alarm in alarms for action in alarm.get("AlarmActions", ()) if ":sns:" in action})

    def alarm_subscriptions(self) -> list[str]:
        """Return the ARNs of the subscriptions to the topics that the alarms notify; some are still unconfirmed."""
        client, found = self.target.aws.client("sns"), []
        with translate_aws_errors():
            for topic in self.alarm_topics:
                for page in client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic):
                    found += [subscription["SubscriptionArn"] for subscription in page["Subscriptions"]]
        return found

    @Once
    def dead_letter_queue_url(self) -> str:
        """The URL of the dead-letter queue."""
        if self.target.named_function is None:
            return self.target.output("DeadLetterQueueUrl")
        queues = [schedule["Target"].get("DeadLetterConfig", {}).get("Arn") for schedule in self.schedules]
        if not any(queues):
            raise TokenctlError("The function has no schedule with a dead-letter queue.")
        with translate_aws_errors():
            answer = self.target.aws.client("sqs").get_queue_url(QueueName=str(queues[0]).rpartition(":")[2])
        return str(answer["QueueUrl"])

    def count_dead_letters(self) -> int:
        """Return the approximate number of messages in the dead-letter queue; raises GoneError if it is gone."""
        client, url = self.target.aws.client("sqs"), self.dead_letter_queue_url
        with translate_aws_errors():
            try:
                answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
            except client.exceptions.QueueDoesNotExist:
                raise GoneError("the dead-letter queue") from None
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def function_errors(self, start: datetime, end: datetime) -> int:
        """Return how many invocations of the function failed; raises as `_count`."""
        return self._count("Errors", start, end)

    def function_calls(self, start: datetime, end: datetime) -> int:
        """Return how many invocations of the function there were; raises as `_count`."""
        return self._count("Invocations", start, end)

    def _count(self, metric: str, start: datetime, end: datetime) -> int:
        """Return the sum of one of Lambda's metrics, by the minute; CloudWatch answers for at most a day."""
        client = self.target.aws.client("cloudwatch")
        with translate_aws_errors():
            answer = client.get_metric_statistics(
                Namespace="AWS/Lambda",
                MetricName=metric,
                Dimensions=[{"Name": "FunctionName", "Value": self.target.function_configuration["FunctionName"]}],
                StartTime=start,
                EndTime=end,
                Period=60,
                Statistics=["Sum"],
            )
        return int(sum(point["Sum"] for point in answer["Datapoints"]))


def _dimension_values(alarm: Mapping[str, Any]) -> Iterator[str]:
    metrics = [alarm, *(query["MetricStat"]["Metric"] for query in alarm.get("Metrics", ()) if "MetricStat" in query)]
    for metric in metrics:
        yield from (dimension["Value"] for dimension in metric.get("Dimensions", ()))


def short_alarm_name(physical_name: str) -> str:
    """Return the alarm's name in the runbook, without the stack's name and the digits that CloudFormation adds."""
    match = _ALARM.search(physical_name)
    return match[1] if match else physical_name

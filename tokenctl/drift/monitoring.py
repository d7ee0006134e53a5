"""Alarms, the log group, the dashboard, and the parameters that consumers read."""

import json
from typing import Any, Final

from tokenctl.drift.kind import Change, Kind, found
from tokenctl.drift.template import DeployedTemplate, Resource

_METRIC_ALARM: Final = (
    *("ActionsEnabled", "AlarmActions", "OKActions", "InsufficientDataActions", "AlarmDescription", "MetricName"),
    *("Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit", "EvaluationPeriods"),
    *("DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData", "Metrics", "ThresholdMetricId"),
)
"""What PutMetricAlarm sets; it replaces all of it."""


def _read_alarm(stack: DeployedTemplate, alarm: Resource) -> dict[str, Any] | None:
    found_alarms = stack.target.aws.client("cloudwatch").describe_alarms(
        AlarmNames=[alarm.physical_id], AlarmTypes=["CompositeAlarm", "MetricAlarm"]
    )
    alarms = [*found_alarms.get("MetricAlarms", ()), *found_alarms.get("CompositeAlarms", ())]
    return next(iter(alarms), None)


def _restore_alarm(stack: DeployedTemplate, change: Change) -> None:
    client = stack.target.aws.client("cloudwatch")
    put = client.put_composite_alarm if "AlarmRule" in change.wanted else client.put_metric_alarm
    settings = {name: value for name, value in change.wanted.items() if value not in (None, [])}
    put(AlarmName=change.resource.physical_id, **settings)


def _read_dashboard(stack: DeployedTemplate, dashboard: Resource) -> dict[str, Any] | None:
    client = stack.target.aws.client("cloudwatch")
    answer = found(client.get_dashboard, DashboardName=dashboard.physical_id)
    same = answer is not None and json.loads(answer["DashboardBody"]) == json.loads(
        dashboard.properties["DashboardBody"]
    )
    return answer and {"DashboardBody": dashboard.properties["DashboardBody"] if same else "another one"}


def _restore_dashboard(stack: DeployedTemplate, change: Change) -> None:
    stack.target.aws.client("cloudwatch").put_dashboard(DashboardName=change.resource.physical_id, **change.wanted)


def _read_log_group(stack: DeployedTemplate, group: Resource) -> dict[str, Any] | None:
    client = stack.target.aws.client("logs")
    groups = client.describe_log_groups(logGroupNamePrefix=group.physical_id).get("logGroups", ())
    same = [each for each in groups if each["logGroupName"] == group.physical_id]
    return {"RetentionInDays": same[0].get("retentionInDays"), "KmsKeyId": same[0].get("kmsKeyId")} if same else None


def _restore_log_group(stack: DeployedTemplate, change: Change) -> None:
    client, name, days = stack.target.aws.client("logs"), change.resource.physical_id, change.wanted["RetentionInDays"]
    if change.gone:
        client.create_log_group(logGroupName=name)
    if change.touches("KmsKeyId") and (key := change.wanted["KmsKeyId"]):
        client.associate_kms_key(logGroupName=name, kmsKeyId=key)
    elif change.touches("KmsKeyId") and not change.gone:
        client.disassociate_kms_key(logGroupName=name)
    if days is None:
        client.delete_retention_policy(logGroupName=name)
    else:
        client.put_retention_policy(logGroupName=name, retentionInDays=int(days))


def _read_parameter(stack: DeployedTemplate, parameter: Resource) -> dict[str, Any] | None:
    answer = found(stack.target.aws.client("ssm").get_parameter, Name=parameter.physical_id)
    return None if answer is None else {"Value": answer["Parameter"]["Value"]}


def _restore_parameter(stack: DeployedTemplate, change: Change) -> None:
    stack.target.aws.client("ssm").put_parameter(
        Name=change.resource.physical_id,
        Value=change.wanted["Value"],
        Type=change.resource.properties["Type"],
        Overwrite=True,
    )


_ACTIONS: Final = {"ActionsEnabled": True, "AlarmActions": [], "OKActions": [], "InsufficientDataActions": []}

METRIC_ALARM: Final = Kind(
    type="AWS::CloudWatch::Alarm",
    read=_read_alarm,
    restore=_restore_alarm,
    settings=_METRIC_ALARM,
    defaults={**dict.fromkeys(_METRIC_ALARM), **_ACTIONS},
)
COMPOSITE_ALARM: Final = Kind(
    type="AWS::CloudWatch::CompositeAlarm",
    read=_read_alarm,
    restore=_restore_alarm,
    settings=("AlarmRule", "AlarmDescription", *_ACTIONS),
    defaults=_ACTIONS,
)
DASHBOARD: Final = Kind(
    type="AWS::CloudWatch::Dashboard",
    read=_read_dashboard,
    restore=_restore_dashboard,
    settings=("DashboardBody",),
)
LOG_GROUP: Final = Kind(
    type="AWS::Logs::LogGroup",
    read=_read_log_group,
    restore=_restore_log_group,
    settings=("RetentionInDays", "KmsKeyId"),
    defaults={"RetentionInDays": None, "KmsKeyId": None},
)
PARAMETER: Final = Kind(
    type="AWS::SSM::Parameter", read=_read_parameter, restore=_restore_parameter, settings=("Value",)
)

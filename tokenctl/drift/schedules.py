"""The schedule, its group, and what the roles may do."""

from datetime import datetime
from typing import Any, Final

from refresh_token.core.windows import iso_utc
from tokenctl.drift.kind import Change, Kind, found
from tokenctl.drift.template import DeployedTemplate, Resource

_DATES: Final = ("StartDate", "EndDate")


def _read_group(stack: DeployedTemplate, group: Resource) -> dict[str, Any] | None:
    client = stack.target.aws.client("scheduler")
    answer: dict[str, Any] | None = found(client.get_schedule_group, Name=group.physical_id)
    return answer


def _restore_group(stack: DeployedTemplate, change: Change) -> None:
    stack.target.aws.client("scheduler").create_schedule_group(Name=change.resource.physical_id)


def _read_schedule(stack: DeployedTemplate, schedule: Resource) -> dict[str, Any] | None:
    client = stack.target.aws.client("scheduler")
    answer: dict[str, Any] | None = found(client.get_schedule, **_names(schedule))
    if answer is None:
        return None
    dates = {name: iso_utc(answer[name]) for name in _DATES if answer.get(name)}
    return {**SCHEDULE.defaults, **answer, **dates}


def _restore_schedule(stack: DeployedTemplate, change: Change) -> None:
    client = stack.target.aws.client("scheduler")
    call = client.create_schedule if change.gone else client.update_schedule  # which replaces all settings
    call(**_names(change.resource), **{key: value for key, value in change.wanted.items() if value})


def _names(schedule: Resource) -> dict[str, str]:
    group = schedule.properties.get("GroupName", "default")
    return {"Name": schedule.physical_id.rpartition("/")[2], "GroupName": group}


class _ScheduleKind(Kind):
    def wanted(self, resource: Resource) -> dict[str, Any]:
        """Return the settings, with the dates in our spelling: the template may have another one."""
        wanted = {**super().wanted(resource)}
        return wanted | {name: iso_utc(datetime.fromisoformat(wanted[name])) for name in _DATES if wanted[name]}


SCHEDULE_GROUP: Final = Kind(type="AWS::Scheduler::ScheduleGroup", read=_read_group, restore=_restore_group)
SCHEDULE: Final = _ScheduleKind(
    type="AWS::Scheduler::Schedule",
    read=_read_schedule,
    restore=_restore_schedule,
    settings=(
        *("State", "ScheduleExpression", "ScheduleExpressionTimezone", "Target", "FlexibleTimeWindow", "StartDate"),
        *("EndDate", "KmsKeyArn", "Description", "ActionAfterCompletion"),
    ),
    defaults={
        "State": "ENABLED",
        "ScheduleExpressionTimezone": "UTC",
        "StartDate": None,
        "EndDate": None,
        "KmsKeyArn": None,
        "Description": "",
        "ActionAfterCompletion": "NONE",
    },
)

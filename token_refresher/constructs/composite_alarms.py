"""Two alarms over the others, by how soon a person is needed: for a pager, and for a list of things to do."""

from collections.abc import Container, Iterable
from typing import cast

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from refresh_token.signals import Alarm


class CompositeAlarms:
    """An alarm that is on while somebody must act, and one that is on while somebody should look tomorrow.

    They notify nobody by themselves, because each alarm already does. Add your own actions.
    """

    def __init__(self, scope: Construct, alarms: Iterable[cloudwatch.Alarm], *, can_wait: Container[str]) -> None:
        by_urgency: dict[bool, list[cloudwatch.Alarm]] = {False: [], True: []}
        for alarm in alarms:
            by_urgency[alarm.node.id not in can_wait].append(alarm)
        self.somebody_must_act = _any_of(
            scope,
            Alarm.SOMEBODY_MUST_ACT,
            "Consumers get no token, or will soon get none, unless somebody acts.",
            by_urgency[True],
        )
        self.look_tomorrow = _any_of(
            scope,
            Alarm.LOOK_TOMORROW,
            "Somebody must act within days. Consumers notice nothing yet.",
            by_urgency[False],
        )


def _any_of(scope: Construct, name: str, description: str, alarms: list[cloudwatch.Alarm]) -> cloudwatch.CompositeAlarm:
    composite = cloudwatch.CompositeAlarm(
        scope,
        name,
        alarm_description=f"{description} See docs/runbook.md#{name.lower()}",
        alarm_rule=cloudwatch.AlarmRule.any_of(
            *(cloudwatch.AlarmRule.from_alarm(alarm, cloudwatch.AlarmState.ALARM) for alarm in alarms)
        ),
    )
    # CloudFormation makes a name that is unique and begins with the stack's name. The CDK's is neither.
    cast("cloudwatch.CfnCompositeAlarm", composite.node.default_child).add_property_deletion_override("AlarmName")
    return composite

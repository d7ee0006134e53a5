"""Alarms of a few kinds that publish to a topic when they go off and when they are over.

A *state* is a metric that says what is wrong right now, again and again. What was said last stays true until the next
value: missing data is ignored. The alarm goes off with the first breaching value, and is over with the first other one.

A *rate* counts what may happen once without harm. It goes off when that happens in several of the last periods. `FILL`
puts a 0 in each period without data. Without it, CloudWatch would look for older data instead (User Guide,
"Configuring how CloudWatch alarms treat missing data"), and the alarm would be late, or come and go.
"""

from typing import TYPE_CHECKING, Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

if TYPE_CHECKING:
    from token_refresher.constructs.composite_alarms import CompositeAlarms

FIVE_MINUTES: Final = Duration.minutes(5)
_HOUR: Final = 12
"""Periods of five minutes."""

_OFTEN: Final = 3
"""In so many periods of an hour something must happen before it is a rate that needs a person."""


class AlarmList(Construct):
    """A topic, and the alarms that publish to it."""

    topic: sns.ITopic

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.alarms: list[cloudwatch.Alarm] = []
        self.composites: CompositeAlarms | None = None

    @property
    def all_alarms(self) -> list[cloudwatch.IAlarm]:
        """The composite alarms first."""
        composites = self.composites
        return [*([composites.somebody_must_act, composites.look_tomorrow] if composites else []), *self.alarms]

    def state(self, name: str, description: str, metric: cloudwatch.IMetric, *, periods: int = 1) -> None:
        """Add an alarm that is on while the metric is at least 1, in each of the last periods."""
        self.alarm(name, description, metric=metric, periods=periods, missing=cloudwatch.TreatMissingData.IGNORE)

    def rate(self, name: str, description: str, metric: cloudwatch.IMetric) -> None:
        """Add an alarm that is on while the metric is at least 1 in several periods of the last hour."""
        self.alarm(name, description, metric=metric, periods=_HOUR, breaching_periods=_OFTEN)

    def alarm(  # noqa: PLR0913 (keyword-only)
        self,
        name: str,
        description: str,
        *,
        metric: cloudwatch.IMetric,
        threshold: float = 1,
        comparison: cloudwatch.ComparisonOperator = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        periods: int = 1,
        breaching_periods: int | None = None,
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> cloudwatch.Alarm:
        """Add an alarm. The runbook has an entry with its name.

        It goes off when `breaching_periods` of the last `periods` are beyond the threshold, by default all of them.
        """
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_description=f"{description} See docs/runbook.md#{name.lower()}",
            metric=metric,
            threshold=threshold,
            comparison_operator=comparison,
            evaluation_periods=periods,
            datapoints_to_alarm=breaching_periods,
            treat_missing_data=missing,
        )
        notify = actions.SnsAction(self.topic)
        alarm.add_alarm_action(notify)
        alarm.add_ok_action(notify)
        self.alarms.append(alarm)
        return alarm


def filled(name: str, metric: cloudwatch.IMetric, period: Duration = FIVE_MINUTES) -> cloudwatch.MathExpression:
    """Return the metric with a 0 for each period without data."""
    return cloudwatch.MathExpression(expression=f"FILL({name}, 0)", using_metrics={name: metric}, period=period)

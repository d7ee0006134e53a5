"""The alarms that go off when connections are in danger. One user whose grant is refused sets off none."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from refresh_token.fleet.signals import FleetAlarm
from token_refresher.constructs.alarm_list import FIVE_MINUTES, AlarmList, filled
from token_refresher.constructs.alarm_topic import alarm_topic
from token_refresher.constructs.composite_alarms import CompositeAlarms
from token_refresher.constructs.fleet.fleet_parts import FleetParts
from token_refresher.props import SharedProps

_QUARTER: Final = 3
"""Periods of five minutes."""

MANY_REFUSED: Final = 10
"""So many refused grants in an hour can be the app's fault, and not that of users who leave."""

_SHARE: Final = 20
"""One of so many refreshes must have been refused, too: 5 %."""

_BEYOND_ATTEMPTS: Final = 600
"""Seconds beyond the time that all attempts of one message can take."""


class FleetMonitoring(AlarmList):
    """The alarms of a fleet, and the two that sum them up."""

    def __init__(  # noqa: PLR0913 (keyword-only)
        self,
        scope: Construct,
        construct_id: str,
        *,
        fleet: FleetParts,
        topic: sns.ITopic | None,
        props: SharedProps,
        email: str | None,
        attempts: int,
    ) -> None:
        """Add the alarms that an emulator can watch, and a topic if there is none.

        `attempts` is how many seconds all attempts of one message take at most.
        """
        super().__init__(scope, construct_id)
        self.topic = topic or alarm_topic(self, props, email=email)
        self._fleet = fleet
        self.state(
            FleetAlarm.OVERDUE,
            "Connections whose token is about to expire have been waiting for 15 minutes: refreshes do not keep up.",
            fleet.metric_overdue(),
            periods=_QUARTER,
        )
        self.state(
            FleetAlarm.BRAKED,
            "For 15 minutes, most refreshes at a provider have failed, so only a few are tried.",
            fleet.metric_braked(),
            periods=_QUARTER,
        )
        self.state(
            FleetAlarm.STUCK,
            "Connections are stuck: three refreshes of each ended without an outcome.",
            fleet.metric_stuck(),
        )
        self.alarm(
            FleetAlarm.DEAD_LETTERS,
            "No worker could take a message, three times: it is in the dead-letter queue.",
            metric=fleet.dead_letter_queue.metric_approximate_number_of_messages_visible(
                period=FIVE_MINUTES, statistic="Maximum"
            ),
        )
        self.alarm(
            FleetAlarm.QUEUE_AGE,
            "Messages wait longer than all their attempts can take: there are too few workers, or none.",
            metric=fleet.queue.metric_approximate_age_of_oldest_message(period=FIVE_MINUTES, statistic="Maximum"),
            threshold=attempts + _BEYOND_ATTEMPTS,
            periods=_QUARTER,
        )
        self.alarm(
            FleetAlarm.TOKEN_NOT_STORED,
            "A connection was refreshed, but its new tokens could not be stored: the old ones may be dead.",
            metric=fleet.metric_token_not_stored(),
        )

    def watch_rates(self, *, ticks: bool) -> None:
        """Add the alarms on metric maths, and the two that sum up all."""
        fleet = self._fleet
        self.alarm(
            FleetAlarm.REFUSED,
            "Within an hour, providers have refused many grants, and more than 5 % of all refreshes.",
            metric=_many_refused(fleet),
        )
        self.rate(
            FleetAlarm.FAULTS,
            "The fleet fails through a fault of this deployment. The metric Failures counts its errors by reason.",
            filled("faults", fleet.metric_faults()),
        )
        self.rate(
            FleetAlarm.FUNCTION_ERRORS,
            "A function of the fleet is throttled, or ends without an answer: it runs out of time or memory.",
            _unexplained(fleet),
        )
        if ticks:
            self.alarm(
                FleetAlarm.NO_DISPATCH,
                "For 15 minutes, the dispatcher has not looked for due connections: nothing keeps them alive.",
                metric=filled("dispatched", fleet.metric_dispatched()),
                comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
                periods=_QUARTER,
                missing=cloudwatch.TreatMissingData.BREACHING,
            )
        self.composites = CompositeAlarms(self, self.alarms, can_wait=FleetAlarm.CAN_WAIT)


def _many_refused(fleet: FleetParts) -> cloudwatch.MathExpression:
    hour = Duration.hours(1)
    refused, all_others = "FILL(refused, 0)", "FILL(refreshed, 0)"
    share = f"{_SHARE - 1} * {refused} > {all_others}"
    return cloudwatch.MathExpression(
        expression=f"IF({refused} >= {MANY_REFUSED} AND {share}, 1, 0)",
        using_metrics={
            "refused": fleet.metric_reauthorization_required(period=hour),
            "refreshed": fleet.metric_refreshed(period=hour),
        },
        period=hour,
    )


def _unexplained(fleet: FleetParts) -> cloudwatch.MathExpression:
    """Return how many calls ended without counting themselves. Some of the counts can be a minute late."""
    parts = {"ask": fleet.ask_function, "dispatch": fleet.dispatcher, "work": fleet.worker}
    errors = {name: part.metric_errors(period=FIVE_MINUTES, statistic="Sum") for name, part in parts.items()}
    throttles = fleet.ask_function.metric_throttles(period=FIVE_MINUTES, statistic="Sum")
    answered, raised = "(FILL(ask, 0) + FILL(dispatch, 0))", "FILL(raised, 0)"
    return cloudwatch.MathExpression(
        # Most failures of a worker are no errors of its function, so they must not hide other errors.
        expression=f"IF({answered} > {raised}, {answered} - {raised}, 0) + FILL(work, 0) + FILL(throttles, 0)",
        using_metrics={**errors, "throttles": throttles, "raised": fleet.metric_failures()},
        period=FIVE_MINUTES,
    )

"""The dashboard of a fleet: for use when an alarm goes off, and for routine checks."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from refresh_token.fleet.signals import FleetMetric
from refresh_token.signals import NAMESPACE, REASON, SERVICE
from token_refresher.constructs.fleet.fleet_parts import FleetParts

_FIVE = Duration.minutes(5)
_FROM_ZERO = cloudwatch.YAxisProps(min=0, show_units=False)
_GREEN, _ORANGE, _RED = cloudwatch.Color.GREEN, cloudwatch.Color.ORANGE, cloudwatch.Color.RED


class FleetDashboard(Construct):
    """Shows alarms, what is due and sent at each provider, outcomes, errors by reason, queues, and durations."""

    def __init__(  # noqa: PLR0913 (keyword-only)
        self,
        scope: Construct,
        construct_id: str,
        *,
        fleet: FleetParts,
        providers: Sequence[str],
        alarms: list[cloudwatch.IAlarm],
        log_groups: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        self.dashboard = cloudwatch.Dashboard(
            self,
            "Dashboard",
            default_interval=Duration.days(1),
            widgets=[
                [cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms, width=24, height=3)] if alarms else [],
                [
                    _graph("Due, by provider", *(fleet.metric_due(provider=one, label=one) for one in providers)),
                    _graph(
                        "Sent to the workers, by provider",
                        *(fleet.metric_sent(provider=one, label=one) for one in providers),
                    ),
                    _graph(
                        "What needs a person",
                        fleet.metric_overdue(label="about to expire", color=_ORANGE),
                        fleet.metric_stuck(label="stuck", color=_RED),
                        fleet.metric_braked(label="providers braked"),
                    ),
                ],
                [
                    _graph(
                        "Outcomes",
                        fleet.metric_refreshed(label="refreshed", color=_GREEN),
                        fleet.metric_recovered(label="recovered"),
                        fleet.metric_degraded(label="degraded", color=_ORANGE),
                        fleet.metric_refresh_failed(label="failed", color=_RED),
                        fleet.metric_reauthorization_required(label="refused"),
                    ),
                    cloudwatch.GraphWidget(
                        title="Failed refreshes and calls by reason",
                        # A search finds every reason: each is a value of the dimension `reason`.
                        left=[
                            cloudwatch.SearchExpression(
                                expression=f'SEARCH(\'{{{NAMESPACE},{REASON},{SERVICE}}} MetricName="{name}" '
                                f"{SERVICE}=\"{fleet.service_name}\"', 'Sum', 300)",
                                label=f"{what}: ${{PROP('Dim.reason')}}",
                            )
                            for name, what in ((FleetMetric.REFRESH_FAILED, "refresh"), (FleetMetric.FAILURES, "call"))
                        ],
                        left_y_axis=_FROM_ZERO,
                        width=8,
                    ),
                    _graph(
                        "How long the oldest has been due, in seconds", fleet.metric_oldest_overdue(label="seconds")
                    ),
                ],
                [
                    _graph(
                        "Queues",
                        fleet.queue.metric_approximate_number_of_messages_visible(
                            statistic="Maximum", period=_FIVE, label="waiting"
                        ),
                        fleet.queue.metric_approximate_number_of_messages_not_visible(
                            statistic="Maximum", period=_FIVE, label="with workers"
                        ),
                        fleet.dead_letter_queue.metric_approximate_number_of_messages_visible(
                            statistic="Maximum", period=_FIVE, label="dead letters", color=_RED
                        ),
                    ),
                    _graph(
                        "Duration, longest",
                        *(
                            function.metric_duration(statistic="Maximum", period=_FIVE, label=label)
                            for label, function in _functions(fleet)
                        ),
                    ),
                    cloudwatch.LogQueryWidget(
                        title="Last failures",
                        log_group_names=[*log_groups],
                        query_lines=[
                            "fields @timestamp, connection, message, reason, detail",
                            'filter level in ["ERROR", "WARNING"] or @message like /Task timed out|Runtime\\./',
                            "sort @timestamp desc",
                            "limit 20",
                        ],
                        width=8,
                    ),
                ],
            ],
        )


def _graph(title: str, *metrics: cloudwatch.IMetric) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=[*metrics], left_y_axis=_FROM_ZERO, width=8)


def _functions(fleet: FleetParts) -> list[tuple[str, lambda_.Function]]:
    return [("ask", fleet.ask_function), ("worker", fleet.worker), ("dispatcher", fleet.dispatcher)]

"""The dashboard: for use when an alarm goes off, and for routine checks."""

from datetime import timedelta

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from refresh_token.core.windows import WindowSettings
from refresh_token.signals import NAMESPACE, REASON, SERVICE, Alarm, Metric
from token_refresher.constructs.refresh_metrics import RefreshMetrics

_HOUR = Duration.hours(1)
_DAY = Duration.days(1)
_FROM_ZERO = cloudwatch.YAxisProps(min=0, show_units=False)
_GREEN, _ORANGE, _RED = cloudwatch.Color.GREEN, cloudwatch.Color.ORANGE, cloudwatch.Color.RED


class Dashboard(Construct):
    """Shows alarms, the token's remaining life, outcomes, errors by reason, durations, the queue, the last failures."""

    def __init__(  # noqa: PLR0913 (keyword-only)
        self,
        scope: Construct,
        construct_id: str,
        *,
        metrics: RefreshMetrics,
        alarms: list[cloudwatch.IAlarm],
        function: lambda_.IFunction,
        log_group: logs.ILogGroup,
        dead_letters: sqs.IQueue,
        windows: WindowSettings | None,
    ) -> None:
        """Add the dashboard. Without `windows` a person renews the token."""
        super().__init__(scope, construct_id)
        thresholds = (
            {"the schedule refreshes": windows.advisory, "consumers refresh too": windows.mandatory}
            if windows
            else {f"alarm: {days} d left": timedelta(days=days) for days in Alarm.STATIC_TOKEN_EXPIRES.values()}
        )
        lines = [
            cloudwatch.HorizontalAnnotation(
                value=left.total_seconds(), label=label, color=_RED if left == min(thresholds.values()) else _ORANGE
            )
            for label, left in thresholds.items()
        ]
        self.dashboard = cloudwatch.Dashboard(
            self,
            "Dashboard",
            default_interval=Duration.days(14),
            widgets=[
                [
                    *(
                        [cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms, width=16, height=4)]
                        if alarms
                        else []
                    ),
                    cloudwatch.SingleValueWidget(
                        title="Remaining life",
                        metrics=[metrics.metric_seconds_until_expiry(label="seconds", period=_DAY)],
                        width=8,
                        height=4,
                    ),
                ],
                [
                    cloudwatch.GraphWidget(
                        title="Remaining life in seconds",
                        left=[
                            metrics.metric_seconds_until_expiry(label="of the token", period=_HOUR),
                            metrics.metric_seconds_until_grant_expiry(label="of the grant", period=_HOUR),
                        ],
                        left_annotations=lines,
                        left_y_axis=_FROM_ZERO,
                        width=12,
                    ),
                    cloudwatch.GraphWidget(
                        title="Outcomes per hour",
                        left=[
                            metrics.metric_ticked(period=_HOUR, label="ticks"),
                            metrics.metric_refreshed(period=_HOUR, label="refreshed", color=_GREEN),
                            metrics.metric_recovered(period=_HOUR, label="recovered"),
                            metrics.metric_degraded(period=_HOUR, label="degraded", color=_ORANGE),
                            metrics.metric_refresh_failed(period=_HOUR, label="failed", color=_RED),
                        ],
                        left_y_axis=_FROM_ZERO,
                        width=12,
                    ),
                ],
                [
                    cloudwatch.GraphWidget(
                        title="States: 1 is wrong",
                        left=[
                            metrics.metric_needs_sign_in(period=_HOUR, label="needs a sign-in", color=_RED),
                            metrics.metric_pair_not_stored(period=_HOUR, label="pair not stored"),
                            metrics.metric_failing(period=_HOUR, label="failing"),
                            metrics.metric_overdue(period=_HOUR, label="overdue", color=_ORANGE),
                            metrics.metric_grant_ending(period=_HOUR, label="grant ends soon"),
                        ],
                        left_y_axis=_FROM_ZERO,
                        width=8,
                    ),
                    cloudwatch.GraphWidget(
                        title="Failed refreshes and requests by reason, per hour",
                        # A search finds every reason: each is a value of the dimension `reason`.
                        left=[
                            cloudwatch.SearchExpression(
                                expression=f'SEARCH(\'{{{NAMESPACE},{REASON},{SERVICE}}} MetricName="{name}" '
                                f"{SERVICE}=\"{metrics.service_name}\"', 'Sum', 3600)",
                                label=f"{what}: ${{PROP('Dim.reason')}}",
                            )
                            for name, what in ((Metric.REFRESH_FAILED, "refresh"), (Metric.FAILURES, "request"))
                        ],
                        left_y_axis=_FROM_ZERO,
                        width=8,
                    ),
                    cloudwatch.LogQueryWidget(
                        title="Last failures",
                        log_group_names=[log_group.log_group_name],
                        query_lines=[
                            "fields @timestamp, message, reason, detail",
                            'filter level in ["ERROR", "WARNING"] or @message like /Task timed out|Runtime\\./',
                            "sort @timestamp desc",
                            "limit 20",
                        ],
                        width=8,
                    ),
                ],
                [
                    cloudwatch.GraphWidget(
                        title="Duration",
                        left=[
                            function.metric_duration(statistic=statistic, label=label, period=_HOUR)
                            for statistic, label in (("p50", "median"), ("p99", "99 %"), ("Maximum", "longest"))
                        ],
                        left_y_axis=cloudwatch.YAxisProps(min=0),
                        width=8,
                    ),
                    cloudwatch.GraphWidget(
                        title="Invocations per hour",
                        left=[
                            function.metric_invocations(period=_HOUR, label="all"),
                            function.metric_errors(period=_HOUR, label="failed", color=_RED),
                            function.metric_throttles(period=_HOUR, label="throttled", color=_ORANGE),
                        ],
                        left_y_axis=_FROM_ZERO,
                        width=8,
                    ),
                    cloudwatch.GraphWidget(
                        title="Dead-letter queue",
                        left=[
                            dead_letters.metric_approximate_number_of_messages_visible(
                                statistic="Maximum", period=_HOUR, label="waiting"
                            ),
                        ],
                        left_y_axis=_FROM_ZERO,
                        width=8,
                    ),
                ],
            ],
        )

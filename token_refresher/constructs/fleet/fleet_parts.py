"""What an app uses of a fleet: its parts, and its metrics."""

from collections.abc import Mapping
from typing import Unpack

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from refresh_token.fleet.signals import PROVIDER, FleetMetric
from refresh_token.signals import REASON
from token_refresher.constructs.composite_alarms import CompositeAlarms
from token_refresher.constructs.service import MetricOptions, Service


class FleetParts(Service):
    """The parts of a fleet, and a method for each metric that its functions print.

    Each method takes the options of `aws_cloudwatch.Metric`. By default a metric is the sum over five minutes.
    """

    ask_function: lambda_.Function
    """Answers consumers. Call it through `alias`."""
    worker: lambda_.Function
    """Refreshes what the queue brings."""
    dispatcher: lambda_.Function
    """Sends what is due to the queue, each minute."""
    table: dynamodb.Table
    """The table with the connections."""
    key: kms.IKey
    """The key of the table and of each refresh token."""
    queue: sqs.Queue
    """The queue with the connections to refresh now."""
    dead_letter_queue: sqs.IQueue
    """The queue of messages that no worker could take."""
    app_secret_arns: Mapping[str, str]
    """The ARN of the secret with the app's credentials, by the provider that needs them."""
    topic: sns.ITopic | None
    """The topic that the alarms publish to, if there are any."""
    alarms: list[cloudwatch.Alarm]
    """The alarms. You can add actions."""
    composite_alarms: CompositeAlarms | None
    """`somebody_must_act` and `look_tomorrow`. You can add actions. None for an `emulator`."""
    dashboard: cloudwatch.Dashboard | None
    """The dashboard, if there is one."""

    def metric_dispatched(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how often the dispatcher looked for due connections."""
        return self.metric(FleetMetric.DISPATCHED, **options)

    def metric_due(self, *, provider: str | None = None, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many connections were due at a look, of all providers or of one. Maximum."""
        return self._gauge(FleetMetric.DUE, provider, options)

    def metric_sent(self, *, provider: str | None = None, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many connections the dispatcher sent to the workers, of all providers or of one."""
        return self._metric(FleetMetric.SENT, _of(provider), options)

    def metric_oldest_overdue(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return for how many seconds the connection that waited longest had been due, at each look. Maximum."""
        return self._state(FleetMetric.OLDEST_OVERDUE, options)

    def metric_overdue(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many due connections were in their mandatory window or worse, at each look. Maximum."""
        return self._state(FleetMetric.OVERDUE, options)

    def metric_braked(self, *, provider: str | None = None, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return 1 if a provider, or this one, is braked because most of its refreshes failed, else 0. Maximum."""
        return self._gauge(FleetMetric.BRAKED, provider, options)

    def metric_stuck(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many connections are stuck, at each look. Maximum."""
        return self._state(FleetMetric.STUCK, options)

    def metric_refreshed(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many versions were refreshed."""
        return self.metric(FleetMetric.REFRESHED, **options)

    def metric_refresh_failed(
        self, *, reason: str | None = None, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """Return how many refreshes failed, all of them or those for one reason: the name of an error."""
        return self._metric(FleetMetric.REFRESH_FAILED, {} if reason is None else {REASON: reason}, options)

    def metric_reauthorization_required(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many grants were refused, each counted once."""
        return self.metric(FleetMetric.REAUTHORIZATION_REQUIRED, **options)

    def metric_token_not_stored(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many refreshed pairs could not be stored."""
        return self.metric(FleetMetric.TOKEN_NOT_STORED, **options)

    def metric_recovered(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many refreshes succeeded after one of the same version had failed."""
        return self.metric(FleetMetric.RECOVERED, **options)

    def metric_degraded(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how often the answer was the old token, still alive, because the refresh failed."""
        return self.metric(FleetMetric.DEGRADED, **options)

    def metric_failures(self, *, reason: str | None = None, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many calls failed, all of them or those for one reason: the name of an error."""
        return self._metric(FleetMetric.FAILURES, {} if reason is None else {REASON: reason}, options)

    def metric_faults(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many calls failed through a fault of the deployment."""
        return self.metric(FleetMetric.FAULTS, **options)

    def _gauge(self, name: str, provider: str | None, options: MetricOptions) -> cloudwatch.Metric:
        options.setdefault("statistic", "Maximum")
        return self._metric(name, _of(provider), options)


def _of(provider: str | None) -> dict[str, str]:
    return {} if provider is None else {PROVIDER: provider}

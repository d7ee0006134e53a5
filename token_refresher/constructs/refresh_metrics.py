"""The metrics that the function prints, as CDK metrics."""

from typing import Unpack

from aws_cdk import aws_cloudwatch as cloudwatch

from refresh_token.signals import REASON, Metric
from token_refresher.constructs.service import MetricOptions, Service


class RefreshMetrics(Service):
    """The metrics of one function, which prints `service_name` as the dimension `service` of each.

    Each method takes the options of `aws_cloudwatch.Metric`. By default a metric is the sum over five minutes, in the
    account and region of this construct, also when a stack in another region shows it.
    """

    def metric_seconds_until_expiry(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many seconds the current token has left, at each tick. Minimum."""
        options.setdefault("statistic", "Minimum")
        return self.metric(Metric.SECONDS_UNTIL_EXPIRY, **options)

    def metric_seconds_until_grant_expiry(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how long the grant will live if nobody refreshes it, as far as that is known. Minimum."""
        options.setdefault("statistic", "Minimum")
        return self.metric(Metric.SECONDS_UNTIL_GRANT_EXPIRY, **options)

    def metric_needs_sign_in(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return 1 if only a person can get a new token, else 0, at each tick. Maximum."""
        return self._state(Metric.NEEDS_SIGN_IN, options)

    def metric_pair_not_stored(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return 1 if the secret does not hold the pair that the issuer sent last, else 0, at each tick. Maximum."""
        return self._state(Metric.PAIR_NOT_STORED, options)

    def metric_failing(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return 1 for a tick that failed through a fault of the deployment, else 0. Maximum."""
        return self._state(Metric.FAILING, options)

    def metric_grant_ending(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return 1 for a tick that found a grant whose end is near, else 0. Maximum."""
        return self._state(Metric.GRANT_ENDING, options)

    def metric_overdue(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return 1 for a tick that left a token in its mandatory window or worse, else 0. Maximum.

        There is no value if another state says why.
        """
        return self._state(Metric.OVERDUE, options)

    def metric_ticked(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many ticks reached the function, however they ended."""
        return self.metric(Metric.TICKED, **options)

    def metric_refreshed(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many versions were refreshed."""
        return self.metric(Metric.REFRESHED, **options)

    def metric_failures(self, *, reason: str | None = None, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many invocations failed, all of them or those for one reason: the name of an error."""
        return self._metric(Metric.FAILURES, {} if reason is None else {REASON: reason}, options)

    def metric_unserved(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many requests got no token because the issuer or a service of AWS did not answer."""
        return self.metric(Metric.UNSERVED, **options)

    def metric_refresh_failed(
        self, *, reason: str | None = None, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """Return how many refreshes failed, all of them or those for one reason: the name of an error."""
        return self._metric(Metric.REFRESH_FAILED, {} if reason is None else {REASON: reason}, options)

    def metric_degraded(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how often the answer was the old token, still alive, because the refresh failed."""
        return self.metric(Metric.DEGRADED, **options)

    def metric_recovered(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many refreshes succeeded after one of the same version had failed."""
        return self.metric(Metric.RECOVERED, **options)

    def metric_reauthorization_required(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many grants the issuer refused, each counted once."""
        return self.metric(Metric.REAUTHORIZATION_REQUIRED, **options)

    def metric_token_not_stored(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many refreshed pairs could not be stored."""
        return self.metric(Metric.TOKEN_NOT_STORED, **options)

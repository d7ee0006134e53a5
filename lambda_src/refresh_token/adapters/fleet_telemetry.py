"""Log lines and metrics of a fleet's functions. A log line names its connection, no metric does.

One connection that fails is not a state of the fleet, so the gauges of a single secret are left out.
"""

from typing import TYPE_CHECKING

from refresh_token.adapters.telemetry import NOT_OURS, PowertoolsTelemetry
from refresh_token.errors import RefreshTokenError, SecretMalformedException
from refresh_token.fleet.signals import ALSO_BY, FleetLog, FleetMetric
from refresh_token.fleet.wording import about
from refresh_token.signals import NAMESPACE, SERVICE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_lambda_powertools import Logger

    from refresh_token.fleet.ports import Look


class FleetTelemetry(PowertoolsTelemetry):
    """The ports Telemetry, DispatchTelemetry and WorkerTelemetry on the Logger and Metrics of Powertools.

    ``connection`` is the name of the connection that is being served.
    """

    def __init__(self) -> None:
        super().__init__()
        self.connection: str | None = None
        self.last_error: RefreshTokenError | None = None

    def serving(self, connection: str) -> None:
        """Name a connection in the log lines that follow."""
        self.connection, self.last_error = connection, None

    def refresh_failed(self, error: RefreshTokenError, *, version_id: str, first: bool) -> None:
        """Log and count a failed refresh, and remember it."""
        self.last_error = error if self.connection is None else about(error, self.connection)
        super().refresh_failed(error, version_id=version_id, first=first)

    def token_age(self, *, version_id: str, seconds_left: float | None, overdue: bool | None) -> None:
        """Measure nothing: the dispatcher measures what is overdue."""

    def grant_age(self, *, seconds_left: float | None, ending: bool) -> None:
        """Measure nothing: it would be one figure for many grants."""

    def dispatched(self, looks: "Sequence[Look]", *, stuck: int) -> None:
        """Log and measure a tick of the dispatcher."""
        for look in looks:
            if look.changed:
                message = FleetLog.BRAKED if look.braked else FleetLog.OPENED
                self._logger.warning(message, extra={"provider": look.provider})
        self._logger.info(FleetLog.DISPATCHED, extra={"providers": [look._asdict() for look in looks], "stuck": stuck})
        self._count(FleetMetric.DISPATCHED)
        self._measure(FleetMetric.DUE, sum(look.due for look in looks))
        self._measure(FleetMetric.SENT, sum(look.sent for look in looks))
        self._measure(FleetMetric.OVERDUE, sum(look.overdue for look in looks))
        self._measure(FleetMetric.BRAKED, sum(look.braked for look in looks))
        self._measure(FleetMetric.STUCK, stuck)
        oldest = max((look.oldest_overdue for look in looks), default=0)
        self._measure(FleetMetric.OLDEST_OVERDUE, oldest)
        for look in looks:
            for name, value in (
                (FleetMetric.DUE, look.due),
                (FleetMetric.SENT, look.sent),
                (FleetMetric.BRAKED, int(look.braked)),
            ):
                self._measure_for(look.provider, name, value)

    def fenced(self) -> None:
        """Log and count a message that was late or came twice."""
        self._logger.info("The message is late, or its connection is no longer kept alive; nothing to do")
        self._count(FleetMetric.FENCED)

    def not_ours(self) -> None:
        """Log and count a message that no dispatcher wrote."""
        self.connection = None
        self._logger.error("The queue holds a message that the dispatcher did not write; it was dropped")
        self._count(FleetMetric.FENCED)

    def work_failed(self, error: Exception, *, again: bool) -> None:
        """Log and count an error that nothing else has told."""
        if self.connection is not None and isinstance(error, RefreshTokenError):
            about(error, self.connection)
        detail = str(error) if isinstance(error, RefreshTokenError) else ""
        message = FleetLog.COMES_AGAIN if again else FleetLog.NOT_REFRESHED
        self._logger.error(message, extra={"reason": type(error).__name__, "detail": detail})
        self._failed(error)

    def _failed(self, error: Exception) -> None:
        """Count a failed request or message, and apart from that those that are this deployment's fault."""
        self._count_by_reason(FleetMetric.FAILURES, type(error).__name__)
        passing = isinstance(error, RefreshTokenError) and (error.transient or getattr(error, "passing", False))
        if not passing and not isinstance(error, (*NOT_OURS, SecretMalformedException)):
            self._count(FleetMetric.FAULTS)

    def _state(self, name: str, *, holds: bool) -> None:
        """Send no gauge: it would be one figure for many connections."""

    def _measure_for(self, provider: str, name: str, value: int) -> None:
        from aws_lambda_powertools import single_metric  # noqa: PLC0415 - see adapters.telemetry
        from aws_lambda_powertools.metrics import MetricUnit  # noqa: PLC0415

        service = {SERVICE: self._logger.service}
        with single_metric(
            name=name, unit=MetricUnit.Count, value=value, namespace=NAMESPACE, default_dimensions=service
        ) as metric:
            metric.add_dimension(name=ALSO_BY[name], value=provider)

    @property
    def _logger(self) -> "Logger":
        """Return the logger, set to the current connection."""
        logger = super()._logger
        logger.append_keys(connection=self.connection)
        return logger

"""Logger and metrics, built once. One JSON line an event; metrics in the embedded metric format (EMF).

Metrics are in the namespace ``RefreshToken`` with the dimension ``service`` (the stack's name): ``SecondsUntilExpiry``,
``Refreshed``, ``RefreshFailed`` (also with the dimension ``reason``), ``Degraded``, ``Recovered``,
``ReauthorizationRequired``, ``TokenNotStored``. No X-Ray SDK: it would add as much cold start as all else together, and
capture answers, which hold tokens.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from refresh_token.errors import ReauthorizationRequiredException, RefreshTokenError, TokenNotStoredException

NAMESPACE: Final = "RefreshToken"

# What others may say at most. At DEBUG botocore prints bodies, which hold tokens; at WARNING urllib3 prints a header
# that it cannot read, and a service that repeats the request there would have its tokens logged.
_MUTED: Final = {"botocore": logging.INFO, "boto3": logging.INFO, "urllib3": logging.ERROR}
for _name, _level in _MUTED.items():
    logging.getLogger(_name).setLevel(_level)


class Invocation(Protocol):
    """The part of the Lambda context that is logged."""

    @property
    def aws_request_id(self) -> str:
        """Return Lambda's id of this invocation."""
        ...


class PowertoolsTelemetry:
    """The Telemetry port on Powertools Logger and Metrics."""

    def __init__(self) -> None:
        self._logger = Logger()
        self._metrics = Metrics(namespace=NAMESPACE)

    @contextmanager
    def invocation(self, context: Invocation) -> Iterator[None]:
        """Log an error that leaves the block, and send the metrics when it ends."""
        self._logger.set_correlation_id(context.aws_request_id)
        self._logger.append_keys(function_request_id=context.aws_request_id)
        try:
            yield
        except RefreshTokenError as error:
            extra = {"reason": error.reason, "detail": str(error)}
            self._logger.error("The request failed", extra=extra)  # noqa: TRY400 - Lambda prints the traceback
            raise
        finally:
            if self._metrics.metric_set:
                self._metrics.flush_metrics()

    def correlate(self, event_id: str | None) -> None:
        """Use EventBridge's id of the event, where there is one, as the correlation id."""
        if event_id is not None:
            self._logger.set_correlation_id(event_id)

    def token_age(self, *, version_id: str, seconds_left: float | None) -> None:
        """Log and measure how long the token lives."""
        whole = None if seconds_left is None else int(seconds_left)
        self._logger.info("Looked at the token", extra={"versionId": version_id, "secondsUntilExpiry": whole})
        if whole is not None:
            self._metrics.add_metric(name="SecondsUntilExpiry", unit=MetricUnit.Seconds, value=max(whole, 0))

    def refreshed(self, *, old: str, new: str, recovered_from: str | None) -> None:
        """Log and count a refresh, and that it ended a failure."""
        self._logger.info("Refreshed the token", extra={"versionId": new, "previousVersionId": old})
        self._count("Refreshed")
        if recovered_from is not None:
            self._logger.info("Recovered from a failure", extra={"versionId": new, "reason": recovered_from})
            self._count("Recovered")

    def refresh_failed(self, error: RefreshTokenError, *, version_id: str, first: bool) -> None:
        """Log and count a refresh that failed; a refused grant once per version."""
        extra = {"versionId": version_id, "reason": error.reason, "detail": str(error)}
        self._logger.error("The refresh failed", extra=extra)
        self._count("RefreshFailed")
        with single_metric(
            name="RefreshFailed", unit=MetricUnit.Count, value=1, namespace=NAMESPACE, default_dimensions=self._service
        ) as metric:
            metric.add_dimension(name="reason", value=error.reason)
        if first and isinstance(error, ReauthorizationRequiredException):
            self._count("ReauthorizationRequired")
        if isinstance(error, TokenNotStoredException):
            self._count("TokenNotStored")
        # At once: what is left to do may take longer than Lambda lets this invocation live.
        self._metrics.flush_metrics()

    def served_degraded(self, error: RefreshTokenError, *, version_id: str) -> None:
        """Log and count that the old token serves on."""
        extra = {"versionId": version_id, "reason": error.reason, "detail": str(error)}
        self._logger.warning("The refresh failed, the current token still serves", extra=extra)
        self._count("Degraded")

    def superseded(self, *, version_id: str) -> None:
        """Log that somebody else's pair won."""
        self._logger.warning("Another pair was stored meanwhile and stays", extra={"versionId": version_id})

    def expiry_capped(self) -> None:
        """Log that the issuer's expiry was not believed."""
        self._logger.warning("The issuer's expiry is more than 400 days ahead; counted as 400 days")

    def lock_not_closed(self, error: RefreshTokenError, *, version_id: str) -> None:
        """Log that the claim is left to end by itself."""
        extra = {"versionId": version_id, "reason": error.reason, "detail": str(error)}
        self._logger.warning("The claim on the refresh could not be closed; it ends by itself", extra=extra)

    def _count(self, name: str) -> None:
        self._metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)

    @property
    def _service(self) -> dict[str, str]:
        return {"service": self._logger.service}

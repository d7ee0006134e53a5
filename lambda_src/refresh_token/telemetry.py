"""Logger and metrics. One JSON line an event; metrics in the embedded metric format (EMF).

Powertools is imported and both are built, once, when there is something to say. To answer with a live token says
nothing, so a cold start for a consumer is 4 % shorter.

Metrics are in the namespace ``RefreshToken`` with the dimension ``service`` (the stack's name): ``Ticked``,
``SecondsUntilExpiry``, ``Overdue``, ``Refreshed``, ``RefreshFailed`` (also with the dimension ``reason``),
``Degraded``, ``Recovered``, ``ReauthorizationRequired``, ``TokenNotStored``. No X-Ray SDK: it would add as much cold
start as all else together, and capture answers, which hold tokens.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol

from refresh_token.errors import ReauthorizationRequiredException, RefreshTokenError, TokenNotStoredException

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger, Metrics

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
        self._request_id: str | None = None
        self._correlation_id: str | None = None

    @contextmanager
    def invocation(self, context: Invocation) -> Iterator[None]:
        """Log an error that leaves the block, and send the metrics when it ends."""
        self._request_id = self._correlation_id = context.aws_request_id
        try:
            yield
        except RefreshTokenError as error:
            extra = {"reason": error.reason, "detail": str(error)}
            self._logger.error("The request failed", extra=extra)  # noqa: TRY400 - Lambda prints the traceback
            raise
        finally:
            if "_metrics" in vars(self) and self._metrics.metric_set:  # only once they are built
                self._metrics.flush_metrics()

    def ticked(self, event_id: str | None) -> None:
        """Count the tick, however it will end. EventBridge's id of it, where there is one, is the correlation id."""
        if event_id is not None:
            self._correlation_id = event_id
        self._count("Ticked")

    def token_age(self, *, version_id: str, seconds_left: float | None, overdue: bool) -> None:
        """Log and measure how long the token lives, and whether it should have been refreshed by now."""
        whole = None if seconds_left is None else int(seconds_left)
        self._logger.info("Looked at the token", extra={"versionId": version_id, "secondsUntilExpiry": whole})
        if whole is not None:
            self._metrics.add_metric(name="SecondsUntilExpiry", unit="Seconds", value=max(whole, 0))
        self._metrics.add_metric(name="Overdue", unit="Count", value=int(overdue))

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
        from aws_lambda_powertools import single_metric  # noqa: PLC0415 - see the module's docstring
        from aws_lambda_powertools.metrics import MetricUnit  # noqa: PLC0415

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

    def lock_not_read(self, error: RefreshTokenError, *, version_id: str) -> None:
        """Log that nothing is known of an earlier refresh of this version."""
        extra = {"versionId": version_id, "reason": error.reason, "detail": str(error)}
        self._logger.warning("Whether a refresh was left unfinished could not be looked up", extra=extra)

    def lock_not_closed(self, error: RefreshTokenError, *, version_id: str) -> None:
        """Log that the claim is left to end by itself."""
        extra = {"versionId": version_id, "reason": error.reason, "detail": str(error)}
        self._logger.warning("The claim on the refresh could not be closed; it ends by itself", extra=extra)

    def _count(self, name: str) -> None:
        self._metrics.add_metric(name=name, unit="Count", value=1)

    @property
    def _logger(self) -> "Logger":
        """Return the logger, which knows of the invocation that is under way."""
        logger = self._built_logger
        logger.set_correlation_id(self._correlation_id)
        logger.append_keys(function_request_id=self._request_id)
        return logger

    @cached_property
    def _built_logger(self) -> "Logger":
        from aws_lambda_powertools import Logger  # noqa: PLC0415 - see the module's docstring

        return Logger()

    @cached_property
    def _metrics(self) -> "Metrics":
        from aws_lambda_powertools import Metrics  # noqa: PLC0415 - see the module's docstring

        return Metrics(namespace=NAMESPACE)

    @property
    def _service(self) -> dict[str, str]:
        return {"service": self._logger.service}

"""Log lines (JSON) and metrics (embedded metric format, EMF) of the function.

Powertools is imported, and its logger and metrics are built, only when there is something to write. Answering a
consumer with a live token writes nothing, which makes that cold start 4 % shorter.

There is no X-Ray SDK: it would double the cold start, and it captures answers,
which hold tokens.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Final

from refresh_token.errors import ReauthorizationRequiredException, RefreshTokenError, TokenNotStoredException
from refresh_token.signals import NAMESPACE, REASON, SERVICE, Log, Metric

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger, Metrics

# The lowest levels at which these libraries may log. At DEBUG, botocore prints bodies, which hold tokens. At WARNING,
# urllib3 prints headers that it cannot parse, and a service may have echoed the request into one.
_LOWEST_LEVELS: Final = {"botocore": logging.INFO, "boto3": logging.INFO, "urllib3": logging.ERROR}
for _name, _level in _LOWEST_LEVELS.items():
    logging.getLogger(_name).setLevel(_level)


class PowertoolsTelemetry:
    """The Telemetry port on the Logger and Metrics of Powertools."""

    def __init__(self) -> None:
        self._request_id: str | None = None
        self._correlation_id: str | None = None

    @contextmanager
    def invocation(self, request_id: str) -> Iterator[None]:
        """Log an error that leaves the block, and send the metrics at its end. ``request_id`` is Lambda's id of it."""
        self._request_id = self._correlation_id = request_id
        try:
            yield
        except RefreshTokenError as error:
            self._logger.error(Log.REQUEST_FAILED, extra=_details(error))  # noqa: TRY400 - Lambda prints the traceback
            raise
        finally:
            if "_metrics" in vars(self) and self._metrics.metric_set:  # only if they were built
                self._metrics.flush_metrics()

    def ticked(self, event_id: str | None) -> None:
        """Count a tick, however it ends, and take its EventBridge id, if it has one, as the correlation id."""
        if event_id is not None:
            self._correlation_id = event_id
        self._count(Metric.TICKED)

    def token_age(self, *, version_id: str, seconds_left: float | None, overdue: bool) -> None:
        """Log and measure how long the token lives, and whether it should have been refreshed by now."""
        whole = None if seconds_left is None else int(seconds_left)
        self._logger.info(Log.TOKEN_CHECKED, extra={"versionId": version_id, "secondsUntilExpiry": whole})
        if whole is not None:
            self._metrics.add_metric(name=Metric.SECONDS_UNTIL_EXPIRY, unit="Seconds", value=max(whole, 0))
        self._metrics.add_metric(name=Metric.OVERDUE, unit="Count", value=int(overdue))

    def grant_age(self, *, seconds_left: float, ending: bool) -> None:
        """Log and measure how long the grant lives, and whether a person should act."""
        whole = int(seconds_left)
        self._logger.info("Checked the refresh token", extra={"secondsUntilGrantExpiry": whole})
        self._metrics.add_metric(name=Metric.SECONDS_UNTIL_GRANT_EXPIRY, unit="Seconds", value=max(whole, 0))
        self._metrics.add_metric(name=Metric.GRANT_ENDING, unit="Count", value=int(ending))

    def refreshed(self, *, old: str, new: str, recovered_from: str | None) -> None:
        """Log and count a refresh, and the recovery if the attempt before it had failed."""
        self._logger.info(Log.REFRESHED, extra={"versionId": new, "previousVersionId": old})
        self._count(Metric.REFRESHED)
        if recovered_from is not None:
            self._logger.info("Recovered from a failure", extra={"versionId": new, "reason": recovered_from})
            self._count(Metric.RECOVERED)

    def refresh_failed(self, error: RefreshTokenError, *, version_id: str, first: bool) -> None:
        """Log and count a failed refresh; count a refused grant once per version."""
        self._logger.error(Log.REFRESH_FAILED, extra={"versionId": version_id, **_details(error)})
        self._count(Metric.REFRESH_FAILED)
        from aws_lambda_powertools import single_metric  # noqa: PLC0415 - see the module's docstring
        from aws_lambda_powertools.metrics import MetricUnit  # noqa: PLC0415

        with single_metric(
            name=Metric.REFRESH_FAILED,
            unit=MetricUnit.Count,
            value=1,
            namespace=NAMESPACE,
            default_dimensions={SERVICE: self._logger.service},
        ) as metric:
            metric.add_dimension(name=REASON, value=error.reason)
        if first and isinstance(error, ReauthorizationRequiredException):
            self._count(Metric.REAUTHORIZATION_REQUIRED)
        if isinstance(error, TokenNotStoredException):
            self._count(Metric.TOKEN_NOT_STORED)
        # Send them now: Lambda may end this invocation before the rest of the work is done.
        self._metrics.flush_metrics()

    def served_degraded(self, error: RefreshTokenError, *, version_id: str) -> None:
        """Log and count an answer with the current token after a failed refresh."""
        extra = {"versionId": version_id, **_details(error)}
        self._logger.warning("The refresh failed; callers get the current token, which is still alive", extra=extra)
        self._count(Metric.DEGRADED)

    def superseded(self, *, version_id: str) -> None:
        """Log that this refresh gave way to a pair that someone stored in the meantime."""
        self._logger.warning(
            "Another pair was stored in the meantime and stays current", extra={"versionId": version_id}
        )

    def expiry_capped(self) -> None:
        """Log that the issuer's expiry is too far ahead to believe."""
        self._logger.warning("The issuer's expiry is more than 400 days ahead; counted as 400 days")

    def expiry_not_said(self) -> None:
        """Log and count an issued token whose expiry is a guess."""
        self._logger.warning("The issuer does not say when the token expires; the default lifetime is assumed")
        self._count(Metric.EXPIRY_NOT_SAID)

    def odd_answer(self, members: Sequence[str]) -> None:
        """Log the names of the members of an issuer's answer that are not what they should be."""
        log = self._logger.error if "refresh_token" in members else self._logger.warning
        log("The issuer's answer has unusable members, which were ignored", extra={"members": list(members)})

    def lock_not_read(self, error: RefreshTokenError, *, version_id: str) -> None:
        """Log that the lock could not say whether an earlier refresh left this version dead."""
        extra = {"versionId": version_id, **_details(error)}
        self._logger.warning("Could not check whether an earlier refresh lost its answer", extra=extra)

    def lock_not_closed(self, error: RefreshTokenError, *, version_id: str) -> None:
        """Log that the claim stays open until its time is over."""
        extra = {"versionId": version_id, **_details(error)}
        self._logger.warning("The claim on the refresh could not be closed; it expires by itself", extra=extra)

    def _count(self, name: str) -> None:
        self._metrics.add_metric(name=name, unit="Count", value=1)

    @property
    def _logger(self) -> "Logger":
        """Return the logger, set to the current invocation."""
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


def _details(error: RefreshTokenError) -> dict[str, str]:
    return {"reason": error.reason, "detail": str(error)}

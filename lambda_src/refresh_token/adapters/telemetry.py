"""Log lines (JSON) and metrics (embedded metric format, EMF) of the function.

Powertools is imported, and its logger and metrics are built, only when there is something to write. Answering a
consumer with a live token writes nothing, which makes that cold start 4 % shorter.

There is no X-Ray SDK: it would double the cold start, and it captures answers,
which hold tokens.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Final

from refresh_token.errors import (
    ConnectionNotFoundException,
    ConnectionPausedException,
    InvalidParameterException,
    IssuerUnavailableException,
    ReauthorizationRequiredException,
    RefreshInProgressException,
    RefreshTokenError,
    SecretNotSeededException,
    TokenNotStoredException,
)
from refresh_token.signals import ALSO_BY, NAMESPACE, SERVICE, Log, Metric, unit_of

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger, Metrics

# The lowest levels at which these libraries may log. At DEBUG, botocore prints bodies, which hold tokens. At WARNING,
# urllib3 prints headers that it cannot parse, and a service may have echoed the request into one.
_LOWEST_LEVELS: Final = {"botocore": logging.INFO, "boto3": logging.INFO, "urllib3": logging.ERROR}
for _name, _level in _LOWEST_LEVELS.items():
    logging.getLogger(_name).setLevel(_level)

NOT_OURS: Final = (
    InvalidParameterException,  # the caller's fault
    ConnectionNotFoundException,  # as above
    ConnectionPausedException,
    ReauthorizationRequiredException,
    SecretNotSeededException,
    TokenNotStoredException,
    IssuerUnavailableException,
    RefreshInProgressException,
)
"""Errors that do not say that this deployment is at fault. All but the first two have alarms of their own."""


class PowertoolsTelemetry:
    """The Telemetry port on the Logger and Metrics of Powertools."""

    def __init__(self) -> None:
        self._request_id: str | None = None
        self._correlation_id: str | None = None
        self._ticking = False
        self._began = 0

    @contextmanager
    def invocation(self, request_id: str) -> Iterator[None]:
        """Log and count an error that leaves the block, and send the metrics at its end.

        ``request_id`` is Lambda's id of the invocation.
        """
        self._request_id = self._correlation_id = request_id
        self._ticking, self._began = False, int(time.time() * 1000)
        try:
            yield
        except Exception as error:
            if isinstance(error, RefreshTokenError):
                self._logger.error(Log.REQUEST_FAILED, extra=_details(error))  # noqa: TRY400 - Lambda prints the traceback
            self._failed(error)
            raise
        else:
            if self._ticking:
                self._state(Metric.FAILING, holds=False)
        finally:
            if "_metrics" in vars(self) and self._metrics.metric_set:  # only if they were built
                self._flush()

    def ticked(self, event_id: str | None) -> None:
        """Count a tick, however it ends, and take its EventBridge id, if it has one, as the correlation id."""
        self._ticking = True
        if event_id is not None:
            self._correlation_id = event_id
        self._count(Metric.TICKED)

    def token_age(self, *, version_id: str, seconds_left: float | None, overdue: bool | None) -> None:
        """Log and measure how long the token lives, and whether it should have been refreshed by now."""
        whole = None if seconds_left is None else int(seconds_left)
        self._logger.info(Log.TOKEN_CHECKED, extra={"versionId": version_id, "secondsUntilExpiry": whole})
        if whole is not None:
            self._measure(Metric.SECONDS_UNTIL_EXPIRY, max(whole, 0))
        if overdue is not None:
            self._state(Metric.OVERDUE, holds=overdue)

    def grant_age(self, *, seconds_left: float | None, ending: bool) -> None:
        """Log and measure how long the grant lives, and whether a person should act."""
        if seconds_left is not None:
            whole = int(seconds_left)
            self._logger.info("Checked the refresh token", extra={"secondsUntilGrantExpiry": whole})
            self._measure(Metric.SECONDS_UNTIL_GRANT_EXPIRY, max(whole, 0))
        self._state(Metric.GRANT_ENDING, holds=ending)

    def grant_state(self, *, needs_sign_in: bool, pair_not_stored: bool) -> None:
        """Measure whether a person must sign in, and whether a new pair was lost."""
        self._state(Metric.NEEDS_SIGN_IN, holds=needs_sign_in)
        self._state(Metric.PAIR_NOT_STORED, holds=pair_not_stored)

    def refreshed(self, *, old: str, new: str, recovered_from: str | None) -> None:
        """Log and count a refresh, and the recovery if the attempt before it had failed.

        A refresh, whoever caused it, shows that nobody must sign in and that the pair is stored.
        """
        self._logger.info(Log.REFRESHED, extra={"versionId": new, "previousVersionId": old})
        self._count(Metric.REFRESHED)
        if not self._ticking:  # a tick tells its states itself
            self.grant_state(needs_sign_in=False, pair_not_stored=False)
        if recovered_from is not None:
            self._logger.info("Recovered from a failure", extra={"versionId": new, "reason": recovered_from})
            self._count(Metric.RECOVERED)

    def refresh_failed(self, error: RefreshTokenError, *, version_id: str, first: bool) -> None:
        """Log and count a failed refresh; count a refused grant once per version."""
        self._logger.error(Log.REFRESH_FAILED, extra={"versionId": version_id, **_details(error)})
        self._count_by_reason(Metric.REFRESH_FAILED, error.reason)
        if isinstance(error, ReauthorizationRequiredException):
            self._state(Metric.NEEDS_SIGN_IN, holds=True)
            if first:
                self._count(Metric.REAUTHORIZATION_REQUIRED)
        if isinstance(error, TokenNotStoredException):
            self._state(Metric.PAIR_NOT_STORED, holds=True)
            self._count(Metric.TOKEN_NOT_STORED)
        # Send them now: Lambda may end this invocation before the rest of the work is done.
        self._flush()

    def served_degraded(self, error: RefreshTokenError, *, version_id: str) -> None:
        """Log and count an answer with the current token after a failed refresh."""
        extra = {"versionId": version_id, **_details(error)}
        self._logger.warning("The refresh failed; callers get the current token, which is still alive", extra=extra)
        self._count(Metric.DEGRADED)

    def report_damped(self, *, version_id: str) -> None:
        """Log and count a report that refreshed nothing."""
        self._logger.warning(
            "A consumer reported a token that was issued seconds ago; it was not refreshed, because a refusal so soon "
            "has another reason, such as a missing permission",
            extra={"versionId": version_id},
        )
        self._count(Metric.REPORT_DAMPED)

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

    def events_not_sent(self, count: int, why: str) -> None:
        """Log that nobody was told of some changes of state."""
        extra = {"events": count, "detail": why}
        self._logger.warning("Changes of the connection's state could not be sent to EventBridge", extra=extra)

    def _failed(self, error: Exception) -> None:
        """Count a failed invocation, and tell what it shows. A consumer's request cannot show that all is well."""
        self._count_by_reason(Metric.FAILURES, type(error).__name__)
        passing = isinstance(error, RefreshTokenError) and (error.transient or getattr(error, "passing", False))
        unserved = passing and not self._ticking
        ours = not (isinstance(error, NOT_OURS) or unserved)
        if ours or self._ticking:
            self._state(Metric.FAILING, holds=ours)
        if isinstance(error, SecretNotSeededException) or getattr(error, "revoked", False):
            self._state(Metric.NEEDS_SIGN_IN, holds=True)
        if unserved:
            self._count(Metric.UNSERVED)

    def _count_by_reason(self, name: str, reason: str) -> None:
        """Count twice: all, and those with the same reason."""
        from aws_lambda_powertools import single_metric  # noqa: PLC0415 - see the module's docstring
        from aws_lambda_powertools.metrics import MetricUnit  # noqa: PLC0415

        self._count(name)
        service = {SERVICE: self._logger.service}
        with single_metric(
            name=name, unit=MetricUnit.Count, value=1, namespace=NAMESPACE, default_dimensions=service
        ) as metric:
            metric.add_dimension(name=ALSO_BY[name], value=reason)

    def _flush(self) -> None:
        """Send the metrics with the time at which the invocation began, as Lambda does with its own.

        The alarm on crashes compares the two.
        """
        self._metrics.set_timestamp(self._began)
        self._metrics.flush_metrics()

    def _count(self, name: str) -> None:
        self._measure(name, 1)

    def _state(self, name: str, *, holds: bool) -> None:
        self._measure(name, int(holds))

    def _measure(self, name: str, value: int) -> None:
        self._metrics.add_metric(name=name, unit=unit_of(name), value=value)

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

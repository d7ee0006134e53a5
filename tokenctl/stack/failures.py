"""The errors of the function since it last worked, with the current version of the secret."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from refresh_token.core.windows import iso_utc
from refresh_token.errors import ConfigurationException, InvalidParameterException, SecretUnavailableException
from refresh_token.signals import Log
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.function_log import lines_of
from tokenctl.stack.secret_versions import list_versions
from tokenctl.stack.side_by_side import all_in_time
from tokenctl.stack.token_life import relative

SPAN: Final = timedelta(days=1)
"""How far back to look; CloudWatch counts crashes for a day."""

MINUTE: Final = timedelta(minutes=1)

MIN_FAILED_CALLS: Final = 2
"""How many calls in a row must fail until nobody is served: one alone may be throttled."""

UNSERVED: Final = frozenset({ConfigurationException.__name__, SecretUnavailableException.__name__})
"""Errors that every request ends with until somebody mends the deployment, whatever the pair is."""

INVALID: Final = InvalidParameterException.__name__
"""A caller's wrong request, which says nothing about the deployment."""


@dataclass(frozen=True, kw_only=True)
class Failures:
    """What failed after the last success, with the current version, and within the span that was searched."""

    start: datetime
    """From when on failures count."""
    why: str
    """What happened then, for people."""
    last_success: str | None
    """When a scheduled run or a refresh last succeeded (ISO 8601); None if none did within the span."""
    current: str | None
    """The id of the secret's current version."""
    lines: Mapping[str, list[dict[str, Any]]]
    """The log lines of the requests that failed, by error, in the order of time."""
    crashes: int
    """How many invocations ended without an answer."""
    all_failed: bool
    """Whether every call since then failed, and in a way that leaves consumers without a token."""

    @property
    def by_reason(self) -> Mapping[str, int]:
        """How many requests failed with each error, except callers' wrong requests."""
        return {reason: len(lines) for reason, lines in self.lines.items() if reason != INVALID}

    @property
    def invalid_requests(self) -> int:
        """How many requests were wrong."""
        return len(self.lines.get(INVALID, ()))

    def when(self, now: datetime) -> str:
        """Return since when failures count, in words."""
        return f"{self.why}, {relative((self.start - now).total_seconds())}" if self.why else "in the last day"


def failures_since_success(deployed: DeployedStack, now: datetime) -> Failures:
    """Return what failed within the last day; raises TokenctlError if versions, log or metrics cannot be read."""
    current = next((each for each in list_versions(deployed.target) if "AWSCURRENT" in each.stages), None)
    lines = lines_of(deployed, (Log.TOKEN_CHECKED, Log.REFRESHED, Log.REQUEST_FAILED), now - SPAN)
    failed = {line.get("function_request_id") for line in lines if line["message"] == Log.REQUEST_FAILED}
    worked = [at for at, line in enumerate(lines) if line.get("function_request_id") not in failed]
    last = lines[worked[-1]]["at"] if worked else None
    # What failed for an earlier version is mended, even if nothing has succeeded since the current one was stored.
    begins = [(now - SPAN, "")]
    begins += [(datetime.fromisoformat(last), "since the function last worked")] if last else []
    begins += [(current.created, "since the current pair was stored")] if current else []
    start, why = max(begins)
    by_reason: dict[str, list[dict[str, Any]]] = {}
    for line in lines[worked[-1] + 1 if worked else 0 :]:
        if line["message"] == Log.REQUEST_FAILED and line["at"] >= iso_utc(start):
            by_reason.setdefault(line["reason"], []).append(line)
    # A metric has one value a minute, so all errors of the first minute are counted, and all subtracted.
    minute = start.replace(second=0, microsecond=0) if why else start
    logged = sum(line["message"] == Log.REQUEST_FAILED and line["at"] >= iso_utc(minute) for line in lines)
    crashes = max(deployed.function_errors(minute, now) - logged, 0)
    return Failures(
        start=start,
        why=why,
        last_success=last,
        current=current.version_id if current else None,
        lines=by_reason,
        crashes=crashes,
        all_failed=bool(crashes or UNSERVED & by_reason.keys())
        and _all_failed(deployed, minute + MINUTE, now, wrong=len(by_reason.get(INVALID, ()))),
    )


def _all_failed(deployed: DeployedStack, start: datetime, now: datetime, *, wrong: int) -> bool:
    """Tell whether the metrics show calls since then, and each of them failed: consumers' successes are not logged.

    `wrong` is how many of them were wrong themselves.
    """
    if start >= now:
        return False
    read = {"calls": deployed.function_calls, "errors": deployed.function_errors}
    count = all_in_time({name: partial(call, start, now) for name, call in read.items()})
    return count["errors"] - wrong >= MIN_FAILED_CALLS and count["errors"] >= count["calls"]

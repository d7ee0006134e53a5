"""The errors of the function since it last worked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from refresh_token.core.windows import iso_utc
from refresh_token.errors import InvalidParameterException
from refresh_token.signals import Log
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.function_log import lines_of

INVALID: Final = InvalidParameterException.__name__
"""A caller's wrong request, which says nothing about the deployment."""


@dataclass(frozen=True, kw_only=True)
class Failures:
    """What failed after the last success, or within the span that was searched."""

    last_success: str | None
    """When a scheduled run or a refresh last succeeded (ISO 8601); None if none did within the span."""
    lines: Mapping[str, list[dict[str, Any]]]
    """The log lines of the requests that failed, by error, in the order of time."""
    crashes: int
    """How many invocations ended without an answer."""

    @property
    def by_reason(self) -> Mapping[str, int]:
        """How many requests failed with each error, except callers' wrong requests."""
        return {reason: len(lines) for reason, lines in self.lines.items() if reason != INVALID}

    @property
    def invalid_requests(self) -> int:
        """How many requests were wrong."""
        return len(self.lines.get(INVALID, ()))


def failures_since_success(deployed: DeployedStack, now: datetime, span: timedelta) -> Failures:
    """Return what failed; raises TokenctlError if log or metrics cannot be read."""
    lines = lines_of(deployed, (Log.TOKEN_CHECKED, Log.REFRESHED, Log.REQUEST_FAILED), now - span)
    failed = {line.get("function_request_id") for line in lines if line["message"] == Log.REQUEST_FAILED}
    worked = [at for at, line in enumerate(lines) if line.get("function_request_id") not in failed]
    last = lines[worked[-1]]["at"] if worked else None
    later = lines[worked[-1] + 1 if worked else 0 :]
    by_reason: dict[str, list[dict[str, Any]]] = {}
    for line in later:
        if line["message"] == Log.REQUEST_FAILED:
            by_reason.setdefault(line["reason"], []).append(line)
    # A metric has one value a minute, so the errors of the last success's minute are all counted, and all subtracted.
    minute = now - span if last is None else datetime.fromisoformat(last).replace(second=0)
    logged = sum(line["message"] == Log.REQUEST_FAILED and line["at"] >= iso_utc(minute) for line in lines)
    return Failures(
        last_success=last,
        lines=by_reason,
        crashes=max(deployed.function_errors(minute, now) - logged, 0),
    )

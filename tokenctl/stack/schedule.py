"""When a schedule runs."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from refresh_token.core.windows import iso_utc

_RATE: Final = re.compile(r"rate\((\d{1,6}) (minute|hour|day)s?\)")

ANY_ZONE: Final = timedelta(days=1)
"""How much later than in UTC it may be, wherever the schedule's time zone is."""


def period_of(expression: str) -> timedelta | None:
    """Return the period of a rate expression; None for a cron expression."""
    rate = _RATE.fullmatch(expression)
    return timedelta(**{f"{rate[2]}s": int(rate[1])}) if rate else None


def why_stopped(schedule: Mapping[str, Any], now: datetime) -> str | None:
    """Return why a schedule does not run now, after its name; None if it runs."""
    start, end = schedule.get("StartDate"), schedule.get("EndDate")
    if schedule["State"] != "ENABLED":
        return f"is {schedule['State']}"
    if isinstance(end, datetime) and end <= now:
        return f"ended {iso_utc(end.astimezone(UTC))}"
    if isinstance(start, datetime) and start > now:
        return f"does not start before {iso_utc(start.astimezone(UTC))}"
    return _why_past(schedule["ScheduleExpression"], now)


def _why_past(expression: str, now: datetime) -> str | None:
    """Return why an expression has no run to come; None if it has one, as far as that can be told."""
    if expression.startswith("at("):
        once = datetime.fromisoformat(expression[3:-1]).replace(tzinfo=UTC)
        return f"ran only once, on {once:%Y-%m-%d}" if once + ANY_ZONE <= now else None
    years = expression.removesuffix(")").rpartition(" ")[2] if expression.startswith("cron(") else "*"
    last = max(map(int, re.findall(r"\d{4}", years)), default=now.year)
    return f"has no run after {last}" if last < now.year and "/" not in years else None


def next_run(schedule: Mapping[str, Any], now: datetime) -> datetime | None:
    """Return roughly when a schedule runs next: a rate counts from its last change. None: unknown, or never."""
    period = period_of(schedule["ScheduleExpression"])
    start = schedule.get("LastModificationDate") or schedule.get("CreationDate")
    if not period or why_stopped(schedule, now) or not isinstance(start, datetime):
        return None
    runs = max((now - start) // period + 1, 1)
    return start.astimezone(UTC) + runs * period

"""When a schedule runs."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

_RATE: Final = re.compile(r"rate\((\d{1,6}) (minute|hour|day)s?\)")


def period_of(expression: str) -> timedelta | None:
    """Return the period of a rate expression; None for a cron expression."""
    rate = _RATE.fullmatch(expression)
    return timedelta(**{f"{rate[2]}s": int(rate[1])}) if rate else None


def next_run(schedule: dict[str, Any], now: datetime) -> datetime | None:
    """Return roughly when a schedule runs next: a rate counts from its last change. None: unknown, or never."""
    period = period_of(schedule["ScheduleExpression"])
    start = schedule.get("LastModificationDate") or schedule.get("CreationDate")
    if not period or schedule["State"] != "ENABLED" or not isinstance(start, datetime):
        return None
    runs = max((now - start) // period + 1, 1)
    return start.astimezone(UTC) + runs * period

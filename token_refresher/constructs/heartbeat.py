"""How long an alarm waits for a tick, in CloudWatch's units. Pure arithmetic."""

from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from token_refresher.settings.schedule_expression import max_time_for_two_ticks

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_MIN_WINDOW = timedelta(minutes=10)
"""Metrics arrive with the log, a minute or two late. So no alarm waits for less than this."""

_MAX_WINDOW = timedelta(days=7)
_STEPS = 12
"""Into so many periods a window is divided, or more if they would be longer than an hour. Short periods make the alarm
exact."""


@dataclass(frozen=True)
class Watch:
    """The alarm goes off when none of the last `periods` periods, of `period` seconds each, holds a tick."""

    period: int
    periods: int


def watch_for(expression: str, *, late: timedelta = timedelta()) -> Watch:
    """Return the watch that always covers two ticks of the schedule, so that one may be lost, or `late` as much.

    There is one period more, because the newest one may have only begun, and its tick may still be on its way.
    CloudWatch accepts periods of whole minutes, and all of them may take a day, or seven days if each is an hour or
    longer (API reference, PutMetricAlarm). The settings refuse a slower schedule.
    """
    window = max(max_time_for_two_ticks(expression) + late, _MIN_WINDOW)
    period = min(ceil(window / _STEPS / _MINUTE) * _MINUTE, _HOUR)
    return Watch(int(period.total_seconds()), min(ceil(window / period) + 1, _MAX_WINDOW // period))

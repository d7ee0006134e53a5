"""How long an alarm waits for a tick, in CloudWatch's units. Pure arithmetic."""

from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from token_refresher.settings.schedule_expression import max_time_for_two_ticks

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_MIN_WINDOW = timedelta(minutes=10)
"""Metrics arrive with the log, a minute or two late. So no alarm waits for less than this."""


@dataclass(frozen=True)
class Watch:
    """The alarm goes off after `periods` periods of `period` seconds without a tick."""

    period: int
    periods: int


def watch_for(expression: str) -> Watch:
    """Return the watch that always covers two ticks of the schedule, so that one may be late or lost.

    CloudWatch accepts periods of whole minutes of up to a day, and periods of an hour or more for up to seven days in
    all (API reference, PutMetricAlarm). The settings refuse a slower schedule.
    """
    window = max(max_time_for_two_ticks(expression), _MIN_WINDOW)
    periods = ceil(window / _DAY)
    return Watch(period=60 * ceil(window / periods / _MINUTE), periods=periods)

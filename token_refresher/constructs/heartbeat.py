"""How long an alarm waits for a tick, in the terms of CloudWatch. Pure arithmetic."""

from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from token_refresher.settings.schedule_expression import longest_two_ticks

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_SHORTEST = timedelta(minutes=10)
"""Metrics come with the log, a minute or two late: a faster schedule is not watched closer than this."""


@dataclass(frozen=True)
class Watch:
    """So many periods of so many seconds without a tick are too many."""

    period: int
    periods: int


def watch_for(expression: str) -> Watch:
    """Return the watch that always holds two ticks of the schedule, so that one may be late or lost.

    CloudWatch takes periods of whole minutes, up to a day each, up to seven days in all if they are an hour or more
    (API reference, PutMetricAlarm). A schedule that takes longer is refused by the settings.
    """
    window = max(longest_two_ticks(expression), _SHORTEST)
    periods = ceil(window / _DAY)
    return Watch(period=60 * ceil(window / periods / _MINUTE), periods=periods)

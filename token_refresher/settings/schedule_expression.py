"""When an EventBridge Scheduler expression ticks. Pure arithmetic in UTC, without a clock.

Source: EventBridge Scheduler User Guide, "Schedule types on EventBridge Scheduler" (rate and cron forms).
"""

import calendar
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta

_RATE = re.compile(r"rate\((\d{1,6}) (minute|hour|day)(s?)\)")
_CRON = re.compile(r"cron\(([^()]*)\)")
_CRON_FIELD_COUNT = 6
_MONTHS = {name: number for number, name in enumerate(calendar.month_abbr) if name}
_WEEKDAYS = {name: number for number, name in enumerate(("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"), start=1)}
_MINUTE = timedelta(minutes=1)
_MINUTES_PER_DAY = 24 * 60
# Five years from a fixed day have every combination of month length, leap day and weekday that decides the worst gap.
_FIRST_DAY, _DAYS = date(2024, 1, 1), 5 * 366


def max_time_for_two_ticks(expression: str) -> timedelta:
    """Return the shortest period that contains two ticks wherever it begins.

    Raises:
        ValueError: EventBridge Scheduler does not accept the expression as `rate(...)` or `cron(...)`, or the schedule
            ends at some point. The text completes the sentence "<expression> ...".

    """
    return _max_time(expression, ticks=2)


def max_time_between_ticks(expression: str) -> timedelta:
    """Return the longest time from one tick to the next. Raises what `max_time_for_two_ticks` raises."""
    return _max_time(expression, ticks=1)


def ticks_of_a_day(expression: str) -> list[timedelta]:
    """Return the times of the ticks on a day with ticks. Raises what `max_time_for_two_ticks` raises."""
    period = _rate_period(expression)
    minutes = _cron_ticks(expression)[1] if period is None else range(0, _MINUTES_PER_DAY, period // _MINUTE)
    return [minute * _MINUTE for minute in minutes]


def _max_time(expression: str, *, ticks: int) -> timedelta:
    period = _rate_period(expression)
    return _max_gap(*_cron_ticks(expression), ticks=ticks) * _MINUTE if period is None else ticks * period


def _rate_period(expression: str) -> timedelta | None:
    """Return the period of a rate expression; None for any other."""
    rate = _RATE.fullmatch(expression)
    if rate is None:
        return None
    value, unit, plural = int(rate[1]), rate[2], bool(rate[3])
    if value == 0:
        raise ValueError("must have a rate of at least 1")
    if plural != (value > 1):
        raise ValueError(f"must be written rate({value} {unit}{'s' if value > 1 else ''})")
    return timedelta(**{f"{unit}s": value})


def _cron_ticks(expression: str) -> tuple[list[int], list[int]]:
    """Return the days with ticks, as ordinals, and the minutes of each such day that have a tick."""
    cron = _CRON.fullmatch(expression)
    if cron is None:
        raise ValueError(
            "must repeat; at(...) ticks once"
            if expression.startswith("at(")
            else "must be rate(<value> <unit>) or cron(<six fields>), e.g. rate(12 hours) or cron(0 6,18 * * ? *)"
        )
    fields = cron[1].split()
    if len(fields) != _CRON_FIELD_COUNT:
        raise ValueError(
            f"must have six cron fields (minutes hours day-of-month month day-of-week year), not {len(fields)}"
        )
    minute_field, hour_field, day_field, month_field, weekday_field, year_field = fields
    if (day_field == "?") == (weekday_field == "?"):
        raise ValueError("must have ? in exactly one of day-of-month and day-of-week")
    if year_field != "*":
        raise ValueError("must have * as its year: a schedule that ends lets the token die")
    hours, minutes = _numbers(hour_field, "hours", 0, 23), _numbers(minute_field, "minutes", 0, 59)
    months = _numbers(month_field, "month", 1, 12, _MONTHS)
    matches = _weekday_test(weekday_field) if day_field == "?" else _day_test(day_field)
    every_day = (_FIRST_DAY + timedelta(days=offset) for offset in range(_DAYS))
    days = [day.toordinal() for day in every_day if day.month in months and matches(day)]
    return days, sorted(hour * 60 + minute for hour in hours for minute in minutes)


def _max_gap(days: Sequence[int], minutes: Sequence[int], *, ticks: int) -> int:
    """Return the most minutes from a tick to the next, or with `ticks=2` to the one after that.

    Every day with ticks has them at the same `minutes`.
    """
    within_a_day = [later - earlier for earlier, later in zip(minutes, minutes[ticks:], strict=False)]
    # Only from the last ticks of a day can the later one be on another day, and then it is one of that day's first.
    edges = sorted({*minutes[:ticks], *minutes[-ticks:]})
    near_midnight = [(day, day * _MINUTES_PER_DAY + minute) for day in days for minute in edges]
    across_days = [
        later - earlier
        for (one, earlier), (other, later) in zip(near_midnight, near_midnight[ticks:], strict=False)
        if one != other
    ]
    if not across_days:
        raise ValueError("must name days that exist every year")
    return max(within_a_day + across_days)


def _numbers(field: str, name: str, low: int, high: int, words: dict[str, int] | None = None) -> frozenset[int]:
    """Expand `*`, `a`, `a-b`, `a,b` and steps `a/n`. `words` are three-letter names."""
    numbers: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = ("", "", "") if span == "*" else span.partition("-")
        try:
            start = low if span == "*" else _number(first, words)
            # `5/10` runs to the end of the range, a bare `5` is only itself.
            end = _number(last, words) if dash else (high if slash or span == "*" else start)
            stride = int(step) if slash else 1
        except ValueError:
            raise ValueError(f"has {part!r} in its {name} field, which is not a cron value") from None
        if not (low <= start <= end <= high and stride >= 1):
            raise ValueError(f"has {part!r} in its {name} field; it takes {low} to {high}, in rising order")
        numbers.update(range(start, end + 1, stride))
    return frozenset(numbers)


def _number(text: str, words: dict[str, int] | None) -> int:
    named = (words or {}).get(text.capitalize())
    return int(text) if named is None else named


def _day_test(field: str) -> Callable[[date], bool]:
    """Return the test for a day-of-month field: numbers, `L` (last), `LW` (last weekday), `nW` (weekday nearest n)."""
    if field == "L":
        return lambda day: day.day == _length(day)
    if nearest := re.fullmatch(r"(L|[12]?[1-9]|[123]0|31)W", field):
        return lambda day: day.day == _nearest_weekday(day, _length(day) if nearest[1] == "L" else int(nearest[1]))
    numbers = _numbers(field, "day-of-month", 1, 31)
    return lambda day: day.day in numbers


def _weekday_test(field: str) -> Callable[[date], bool]:
    """Return the test for a day-of-week field (1 is Sunday): numbers, names, `L`, `nL` (last n), `n#k` (k-th n)."""
    if last := re.fullmatch(r"([1-7])?L", field):
        if last[1] is None:
            return lambda day: _weekday(day) == max(_WEEKDAYS.values())
        return lambda day: _weekday(day) == int(last[1]) and day.day + 7 > _length(day)
    if nth := re.fullmatch(r"([1-7])#([1-5])", field):
        return lambda day: _weekday(day) == int(nth[1]) and (day.day - 1) // 7 + 1 == int(nth[2])
    numbers = _numbers(field, "day-of-week", 1, 7, _WEEKDAYS)
    return lambda day: _weekday(day) in numbers


def _weekday(day: date) -> int:
    return day.isoweekday() % 7 + 1


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest_weekday(day: date, wanted: int) -> int | None:
    """Return the working day nearest to day `wanted`, always in the same month."""
    if wanted > _length(day):
        return None
    candidates: Iterable[int] = (wanted, wanted - 1, wanted + 1, wanted + 2, wanted - 2)
    in_month = (number for number in candidates if 1 <= number <= _length(day))
    return next(number for number in in_month if day.replace(day=number).isoweekday() < 6)  # noqa: PLR2004 (Saturday)

from datetime import timedelta

import pytest

from token_refresher.settings.schedule_expression import max_time_between_ticks, max_time_for_two_ticks, ticks_of_a_day

FORM = "must be rate(<value> <unit>) or cron(<six fields>), e.g. rate(12 hours) or cron(0 6,18 * * ? *)"
MINUTES, HOURS, DAYS = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("expression", "one", "two"),
    [
        ("rate(1 minute)", MINUTES, 2 * MINUTES),
        ("rate(90 minutes)", 90 * MINUTES, 3 * HOURS),
        ("rate(12 hours)", 12 * HOURS, 1 * DAYS),
        ("rate(4 days)", 4 * DAYS, 8 * DAYS),
        ("cron(* * * * ? *)", MINUTES, 2 * MINUTES),
        ("cron(0/15 * * * ? *)", 15 * MINUTES, 30 * MINUTES),
        ("cron(0,1,2 0 * * ? *)", 1 * DAYS - 2 * MINUTES, 1 * DAYS - 1 * MINUTES),
        ("cron(0 6,18 * * ? *)", 12 * HOURS, 1 * DAYS),
        ("cron(0 8-10 * * ? *)", 22 * HOURS, 23 * HOURS),
        ("cron(0 0 ? * MON-FRI *)", 3 * DAYS, 4 * DAYS),
        ("cron(0 0 ? * 2 *)", 7 * DAYS, 14 * DAYS),
        ("cron(0 0 ? * L *)", 7 * DAYS, 14 * DAYS),
        ("cron(0 0 ? * tue,fri *)", 4 * DAYS, 7 * DAYS),
        ("cron(0 0 1 * ? *)", 31 * DAYS, 62 * DAYS),
        ("cron(0 0 L * ? *)", 31 * DAYS, 62 * DAYS),
        ("cron(0 0 LW * ? *)", 33 * DAYS, 63 * DAYS),
        ("cron(0 0 1W * ? *)", 33 * DAYS, 63 * DAYS),
        ("cron(0 0 31W * ? *)", 63 * DAYS, 124 * DAYS),
        ("cron(0 0 ? * 6L *)", 35 * DAYS, 63 * DAYS),
        ("cron(0 0 ? * 3#1 *)", 35 * DAYS, 63 * DAYS),
        ("cron(0 0 1 JAN,JUL ? *)", 184 * DAYS, 366 * DAYS),
    ],
)
def test_the_calendars_worst_case_for_ticks(expression: str, one: timedelta, two: timedelta) -> None:
    assert (max_time_between_ticks(expression), max_time_for_two_ticks(expression)) == (one, two)


@pytest.mark.parametrize(
    ("expression", "ticks"),
    [
        ("rate(6 hours)", [0, 6, 12, 18]),
        ("rate(7 hours)", [0, 7, 14, 21]),
        ("rate(3 days)", [0]),
        ("cron(0 8-10 ? * MON *)", [8, 9, 10]),
    ],
)
def test_the_hours_of_a_days_ticks(expression: str, ticks: list[int]) -> None:
    assert ticks_of_a_day(expression) == [hour * HOURS for hour in ticks]


@pytest.mark.parametrize(
    ("expression", "rule"),
    [
        ("", FORM),
        ("every day", FORM),
        ("rate(5 weeks)", FORM),
        ("at(2030-01-01T00:00:00)", "must repeat; at(...) ticks once"),
        ("rate(0 minutes)", "must have a rate of at least 1"),
        ("rate(1 hours)", "must be written rate(1 hour)"),
        ("rate(2 hour)", "must be written rate(2 hours)"),
        ("cron(0 0 * * *)", "must have six cron fields (minutes hours day-of-month month day-of-week year), not 5"),
        ("cron(0 0 * * * *)", "must have ? in exactly one of day-of-month and day-of-week"),
        ("cron(0 0 ? * ? *)", "must have ? in exactly one of day-of-month and day-of-week"),
        ("cron(0 0 * * ? 2030)", "must have * as its year: a schedule that ends lets the token die"),
        ("cron(60 0 * * ? *)", "has '60' in its minutes field; it takes 0 to 59, in rising order"),
        ("cron(0 22-4 * * ? *)", "has '22-4' in its hours field; it takes 0 to 23, in rising order"),
        ("cron(0 */0 * * ? *)", "has '*/0' in its hours field; it takes 0 to 23, in rising order"),
        ("cron(x 0 * * ? *)", "has 'x' in its minutes field, which is not a cron value"),
        ("cron(0 0 0 * ? *)", "has '0' in its day-of-month field; it takes 1 to 31, in rising order"),
        ("cron(0 0 ? * 8 *)", "has '8' in its day-of-week field; it takes 1 to 7, in rising order"),
        ("cron(0 0 ? * FUN *)", "has 'FUN' in its day-of-week field, which is not a cron value"),
        ("cron(0 0 * 13 ? *)", "has '13' in its month field; it takes 1 to 12, in rising order"),
        ("cron(0 0 31 2 ? *)", "must name days that exist every year"),
        ("cron(0 0 29 2 ? *)", "must name days that exist every year"),
    ],
)
def test_a_bad_expression_names_its_rule(expression: str, rule: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 (the whole text is compared)
        max_time_for_two_ticks(expression)
    assert str(refused.value) == rule

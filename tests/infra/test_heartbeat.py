from datetime import timedelta

import pytest

from token_refresher.constructs.heartbeat import Watch, watch_for
from token_refresher.settings.schedule_expression import max_time_for_two_ticks


@pytest.mark.parametrize(
    ("expression", "watch"),
    [
        ("rate(1 minute)", Watch(period=60, periods=11)),
        ("rate(6 hours)", Watch(period=3600, periods=13)),
        ("rate(12 hours)", Watch(period=3600, periods=25)),
        ("rate(61 minutes)", Watch(period=660, periods=13)),
        ("rate(84 hours)", Watch(period=3600, periods=168)),
        ("cron(0 6 ? * MON-FRI *)", Watch(period=3600, periods=97)),
        ("cron(7 3 * * ? *)", Watch(period=3600, periods=49)),
    ],
)
def test_a_watch_covers_two_ticks_wherever_it_begins(expression: str, watch: Watch) -> None:
    assert watch_for(expression) == watch


@pytest.mark.parametrize("minutes", [7, 61, 719, 721, 1441, 3601, 5039, 5040])
def test_every_watch_is_valid_and_long_enough(minutes: int) -> None:
    expression = f"rate({minutes} minutes)"
    watch = watch_for(expression)
    whole = timedelta(seconds=watch.period * watch.periods)
    assert watch.period % 60 == 0
    assert watch.period <= 86_400
    assert max_time_for_two_ticks(expression) <= whole <= timedelta(days=7)
    assert watch.period >= 3600 or whole <= timedelta(days=1)

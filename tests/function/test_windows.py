"""Windows and expiry, case by case. A case whose key was not used fails: it would test less than it says."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refresh_token.windows import MAX_LIFETIME, Expiry, Window, WindowSettings, iso_utc, read_expires_in, window_of

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
NOW_EPOCH = int(NOW.timestamp())
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
TICK = timedelta(microseconds=1)
SETTINGS = WindowSettings(advisory=7 * DAY, mandatory=DAY)

Case = dict[str, object]


@contextmanager
def used_up(case: Case) -> Iterator[Case]:
    left = dict(case)
    yield left
    assert not left, f"case {case['name']!r} has keys that no test used: {sorted(left)}"


def by_name(case: Case) -> str:
    return str(case["name"])


WINDOW_CASES: list[Case] = [
    # A token of 90 days: the windows are the settings'.
    {"name": "just issued", "left": 90 * DAY, "lifetime": 90 * DAY, "window": Window.FRESH},
    {"name": "a second before advisory", "left": 7 * DAY + SECOND, "lifetime": 90 * DAY, "window": Window.FRESH},
    {"name": "a microsecond before advisory", "left": 7 * DAY + TICK, "lifetime": 90 * DAY, "window": Window.FRESH},
    {"name": "advisory opens", "left": 7 * DAY, "lifetime": 90 * DAY, "window": Window.ADVISORY},
    {"name": "a microsecond into advisory", "left": 7 * DAY - TICK, "lifetime": 90 * DAY, "window": Window.ADVISORY},
    {"name": "a second before mandatory", "left": DAY + SECOND, "lifetime": 90 * DAY, "window": Window.ADVISORY},
    {"name": "a microsecond before mandatory", "left": DAY + TICK, "lifetime": 90 * DAY, "window": Window.ADVISORY},
    {"name": "mandatory opens", "left": DAY, "lifetime": 90 * DAY, "window": Window.MANDATORY},
    {"name": "a microsecond into mandatory", "left": DAY - TICK, "lifetime": 90 * DAY, "window": Window.MANDATORY},
    {"name": "the last second", "left": SECOND, "lifetime": 90 * DAY, "window": Window.MANDATORY},
    {"name": "the last microsecond", "left": TICK, "lifetime": 90 * DAY, "window": Window.MANDATORY},
    {"name": "the moment of expiry", "left": 0 * DAY, "lifetime": 90 * DAY, "window": Window.EXPIRED},
    {"name": "a microsecond after expiry", "left": -TICK, "lifetime": 90 * DAY, "window": Window.EXPIRED},
    {"name": "long dead", "left": -1000 * DAY, "lifetime": 90 * DAY, "window": Window.EXPIRED},
    # The scale begins to matter below 21 days (advisory) and 10 days (mandatory).
    {"name": "21 days scale nothing: fresh", "left": 7 * DAY + TICK, "lifetime": 21 * DAY, "window": Window.FRESH},
    {"name": "21 days scale nothing: advisory", "left": 7 * DAY, "lifetime": 21 * DAY, "window": Window.ADVISORY},
    {"name": "18 days: advisory at a third", "left": 6 * DAY, "lifetime": 18 * DAY, "window": Window.ADVISORY},
    {"name": "18 days: fresh before a third", "left": 6 * DAY + TICK, "lifetime": 18 * DAY, "window": Window.FRESH},
    {"name": "18 days: mandatory is not scaled", "left": DAY, "lifetime": 18 * DAY, "window": Window.MANDATORY},
    {"name": "18 days: before mandatory", "left": DAY + TICK, "lifetime": 18 * DAY, "window": Window.ADVISORY},
    {"name": "10 days: mandatory at a tenth", "left": DAY, "lifetime": 10 * DAY, "window": Window.MANDATORY},
    {"name": "10 days: before a tenth", "left": DAY + TICK, "lifetime": 10 * DAY, "window": Window.ADVISORY},
    # An hour: 20 and 6 minutes.
    {"name": "an hour: just issued", "left": 3600 * SECOND, "lifetime": 3600 * SECOND, "window": Window.FRESH},
    {
        "name": "an hour: before a third",
        "left": 1200 * SECOND + TICK,
        "lifetime": 3600 * SECOND,
        "window": Window.FRESH,
    },
    {"name": "an hour: at a third", "left": 1200 * SECOND, "lifetime": 3600 * SECOND, "window": Window.ADVISORY},
    {"name": "an hour: before a tenth", "left": 361 * SECOND, "lifetime": 3600 * SECOND, "window": Window.ADVISORY},
    {"name": "an hour: at a tenth", "left": 360 * SECOND, "lifetime": 3600 * SECOND, "window": Window.MANDATORY},
    {"name": "an hour: over", "left": 0 * SECOND, "lifetime": 3600 * SECOND, "window": Window.EXPIRED},
    # Nothing is known of the lifetime: not scaled.
    {"name": "unknown lifetime: fresh", "left": 8 * DAY, "lifetime": None, "window": Window.FRESH},
    {"name": "unknown lifetime: advisory", "left": 7 * DAY, "lifetime": None, "window": Window.ADVISORY},
    {"name": "unknown lifetime: an hour left", "left": 3600 * SECOND, "lifetime": None, "window": Window.MANDATORY},
    {"name": "unknown lifetime: expired", "left": 0 * SECOND, "lifetime": None, "window": Window.EXPIRED},
    # Nothing is known of the expiry.
    {"name": "unknown expiry", "left": None, "lifetime": None, "window": Window.UNKNOWN},
    {"name": "unknown expiry beats a lifetime", "left": None, "lifetime": 90 * DAY, "window": Window.UNKNOWN},
]


@pytest.mark.parametrize("case", WINDOW_CASES, ids=by_name)
def test_a_token_is_in_the_window_that_its_time_left_says(case: Case) -> None:
    with used_up(case) as given_:
        del given_["name"]
        left, lifetime = given_.pop("left"), given_.pop("lifetime")
        expires_at = NOW + left if isinstance(left, timedelta) else None
        assert lifetime is None or isinstance(lifetime, timedelta)
        assert window_of(expires_at, lifetime=lifetime, now=NOW, settings=SETTINGS) is given_.pop("window")


def test_case_names_are_unique() -> None:
    names = [by_name(case) for case in WINDOW_CASES + EXPIRES_IN_CASES]
    assert len(names) == len(set(names))


@given(
    lifetime=st.timedeltas(min_value=SECOND, max_value=MAX_LIFETIME),
    share=st.floats(min_value=0, max_value=1),
)
def test_time_only_ever_moves_a_token_forward_through_the_windows(lifetime: timedelta, share: float) -> None:
    order = [Window.FRESH, Window.ADVISORY, Window.MANDATORY, Window.EXPIRED]
    expires_at = NOW + lifetime

    def position(at: datetime) -> int:
        return order.index(window_of(expires_at, lifetime=lifetime, now=at, settings=SETTINGS))

    later = NOW + lifetime * share
    assert position(NOW) == 0, "a token that was just issued is fresh, however short its life"
    assert position(later) <= position(later + SECOND)
    assert position(expires_at) == order.index(Window.EXPIRED)


@pytest.mark.parametrize("skew", [timedelta(minutes=-5), timedelta(minutes=5)])
def test_a_clock_that_is_five_minutes_off_neither_kills_a_token_nor_keeps_it_fresh(skew: timedelta) -> None:
    def seen(left: timedelta) -> Window:
        return window_of(NOW + left, lifetime=90 * DAY, now=NOW + skew, settings=SETTINGS)

    assert seen(8 * DAY) is Window.FRESH
    assert seen(2 * DAY) is Window.ADVISORY
    assert seen(DAY / 2) is Window.MANDATORY


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


CAPPED = NOW + MAX_LIFETIME

EXPIRES_IN_CASES: list[Case] = [
    {"name": "a second", "value": 1, "expiry": Expiry(NOW + SECOND)},
    {"name": "Figma's 90 days", "value": 7_776_000, "expiry": Expiry(NOW + 90 * DAY)},
    {"name": "400 days to the second", "value": 400 * 86_400, "expiry": Expiry(CAPPED)},
    {"name": "400 days and a second", "value": 400 * 86_400 + 1, "expiry": Expiry(CAPPED, capped=True)},
    {"name": "10^9 is a duration", "value": 10**9, "expiry": Expiry(CAPPED, capped=True)},
    {"name": "10^9 + 1 is epoch seconds", "value": 10**9 + 1, "expiry": Expiry(at(10**9 + 1))},
    {"name": "epoch seconds, an hour ahead", "value": NOW_EPOCH + 3600, "expiry": Expiry(NOW + 3600 * SECOND)},
    {"name": "epoch seconds, now", "value": NOW_EPOCH, "expiry": Expiry(NOW)},
    {"name": "epoch seconds, a second ago", "value": NOW_EPOCH - 1, "expiry": Expiry(NOW - SECOND)},
    {"name": "epoch seconds, 400 days ahead", "value": NOW_EPOCH + 400 * 86_400, "expiry": Expiry(CAPPED)},
    {
        "name": "epoch seconds, 400 days and a second ahead",
        "value": NOW_EPOCH + 400 * 86_400 + 1,
        "expiry": Expiry(CAPPED, capped=True),
    },
    {"name": "10^12 is epoch seconds, far ahead", "value": 10**12, "expiry": Expiry(CAPPED, capped=True)},
    {"name": "10^12 + 1 is epoch milliseconds", "value": 10**12 + 1, "expiry": Expiry(at(10**9))},
    {"name": "epoch ms, an hour ahead", "value": (NOW_EPOCH + 3600) * 1000, "expiry": Expiry(NOW + 3600 * SECOND)},
    {"name": "epoch ms, a second ago", "value": (NOW_EPOCH - 1) * 1000, "expiry": Expiry(NOW - SECOND)},
    {"name": "epoch ms, 400 days ahead", "value": (NOW_EPOCH + 400 * 86_400) * 1000, "expiry": Expiry(CAPPED)},
    {
        "name": "epoch ms, 401 days ahead",
        "value": (NOW_EPOCH + 401 * 86_400) * 1000,
        "expiry": Expiry(CAPPED, capped=True),
    },
    {"name": "a number as long as a page", "value": 10**3000, "expiry": Expiry(CAPPED, capped=True)},
    {"name": "zero", "value": 0, "refused": "not positive"},
    {"name": "minus one", "value": -1, "refused": "not positive"},
    {"name": "minus a lot", "value": -(10**3000), "refused": "not positive"},
    {"name": "true", "value": True, "refused": "not a whole number"},
    {"name": "false", "value": False, "refused": "not a whole number"},
    {"name": "a float that is whole", "value": 3600.0, "refused": "not a whole number"},
    {"name": "a float", "value": 0.5, "refused": "not a whole number"},
    {"name": "infinity", "value": float("inf"), "refused": "not a whole number"},
    {"name": "a string of digits", "value": "3600", "refused": "not a whole number"},
    {"name": "a date", "value": "2027-01-01T00:00:00Z", "refused": "not a whole number"},
    {"name": "null", "value": None, "refused": "not a whole number"},
    {"name": "a list", "value": [3600], "refused": "not a whole number"},
    {"name": "an object", "value": {"seconds": 3600}, "refused": "not a whole number"},
]


@pytest.mark.parametrize("case", EXPIRES_IN_CASES, ids=by_name)
def test_expires_in_is_read_by_magnitude(case: Case) -> None:
    with used_up(case) as given_:
        del given_["name"]
        value = given_.pop("value")
        if refused := given_.pop("refused", None):
            with pytest.raises(ValueError, match=f"^expiresIn is {refused}$") as caught:
                read_expires_in(value, counted_from=NOW)
            assert "3600" not in str(caught.value)
        else:
            assert read_expires_in(value, counted_from=NOW) == given_.pop("expiry")


@given(value=st.integers(min_value=1))
def test_every_positive_number_is_read_and_never_believed_beyond_400_days(value: int) -> None:
    expiry = read_expires_in(value, counted_from=NOW)
    assert expiry.at <= NOW + MAX_LIFETIME
    assert expiry.capped is False or expiry.at == NOW + MAX_LIFETIME


def test_a_point_in_time_is_off_by_less_than_a_second_when_counted_from_a_fraction() -> None:
    expiry = read_expires_in(NOW_EPOCH + 3600, counted_from=NOW + timedelta(milliseconds=700))
    assert timedelta() <= expiry.at - (NOW + timedelta(hours=1)) < SECOND


ISO_CASES: list[tuple[str, datetime, str]] = [
    ("in UTC", NOW, "2026-11-23T12:00:00Z"),
    ("fractions are cut", NOW + timedelta(microseconds=999_999), "2026-11-23T12:00:00Z"),
    ("east of Greenwich", datetime(2026, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=2))), "2025-12-31T23:30:00Z"),
    ("west of Greenwich", datetime(2026, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=-5))), "2026-01-01T06:30:00Z"),
    ("the year has four digits", datetime(33, 4, 3, tzinfo=UTC), "0033-04-03T00:00:00Z"),
]


@pytest.mark.parametrize(("moment", "text"), [case[1:] for case in ISO_CASES], ids=[case[0] for case in ISO_CASES])
def test_moments_are_written_in_utc_to_the_second(moment: datetime, text: str) -> None:
    assert iso_utc(moment) == text


@pytest.fixture
def machine_in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("machine_in_new_york")
def test_moments_are_written_in_utc_whatever_the_time_zone_of_the_machine() -> None:
    assert iso_utc(NOW) == "2026-11-23T12:00:00Z"

"""Windows and expiry, case by case."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refresh_token.core.windows import MAX_LIFETIME, Expiry, Window, iso_utc, read_expires_in, window_of
from tests.support.fakes import NOW
from tests.support.windows import WINDOWS

EPOCH = int(NOW.timestamp())
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
TICK = timedelta(microseconds=1)
FRESH, ADVISORY, MANDATORY, EXPIRED, UNKNOWN = Window

# (name, time left, lifetime, window)
CASES: list[tuple[str, timedelta | None, timedelta | None, Window]] = [
    # A token of 90 days: the windows are the settings'.
    ("just issued", 90 * DAY, 90 * DAY, FRESH),
    ("before advisory", 7 * DAY + TICK, 90 * DAY, FRESH),
    ("advisory opens", 7 * DAY, 90 * DAY, ADVISORY),
    ("before mandatory", DAY + TICK, 90 * DAY, ADVISORY),
    ("mandatory opens", DAY, 90 * DAY, MANDATORY),
    ("the last microsecond", TICK, 90 * DAY, MANDATORY),
    ("the moment of expiry", 0 * DAY, 90 * DAY, EXPIRED),
    ("long dead", -1000 * DAY, 90 * DAY, EXPIRED),
    # The windows shrink below 21 days (advisory) and 10 days (mandatory).
    ("21 days: before advisory", 7 * DAY + TICK, 21 * DAY, FRESH),
    ("21 days: advisory", 7 * DAY, 21 * DAY, ADVISORY),
    ("18 days: before a third", 6 * DAY + TICK, 18 * DAY, FRESH),
    ("18 days: at a third", 6 * DAY, 18 * DAY, ADVISORY),
    ("18 days: before mandatory", DAY + TICK, 18 * DAY, ADVISORY),
    ("18 days: mandatory is not scaled", DAY, 18 * DAY, MANDATORY),
    ("10 days: before a tenth", DAY + TICK, 10 * DAY, ADVISORY),
    ("10 days: at a tenth", DAY, 10 * DAY, MANDATORY),
    ("an hour: just issued", HOUR, HOUR, FRESH),
    ("an hour: before a third", HOUR / 3 + TICK, HOUR, FRESH),
    ("an hour: at a third", HOUR / 3, HOUR, ADVISORY),
    ("an hour: before a tenth", HOUR / 10 + TICK, HOUR, ADVISORY),
    ("an hour: at a tenth", HOUR / 10, HOUR, MANDATORY),
    ("an hour: over", 0 * SECOND, HOUR, EXPIRED),
    ("unknown lifetime: fresh", 8 * DAY, None, FRESH),
    ("unknown lifetime: advisory", 7 * DAY, None, ADVISORY),
    ("unknown lifetime: an hour left", HOUR, None, MANDATORY),
    ("unknown lifetime: expired", 0 * SECOND, None, EXPIRED),
    ("unknown expiry", None, None, UNKNOWN),
    ("unknown expiry of a known lifetime", None, 90 * DAY, UNKNOWN),
]


# (name, margin, time left, lifetime, window)
MARGINS: list[tuple[str, timedelta, timedelta | None, timedelta | None, Window]] = [
    ("caps both windows: before", 2 * SECOND, 2 * SECOND + TICK, HOUR, FRESH),
    ("caps both windows: at", 2 * SECOND, 2 * SECOND, HOUR, MANDATORY),
    ("caps the advisory window: before", HOUR / 6, HOUR / 6 + TICK, HOUR, FRESH),
    ("caps the advisory window: at", HOUR / 6, HOUR / 6, HOUR, ADVISORY),
    ("leaves shorter windows", DAY, HOUR / 3 + TICK, HOUR, FRESH),
    ("of a token of unknown life", HOUR, HOUR + TICK, None, FRESH),
    ("does not delay an unknown expiry", HOUR, None, HOUR, UNKNOWN),
]


class TestWindowOf:
    @pytest.mark.parametrize(
        ("margin", "left", "life", "window"), [case[1:] for case in MARGINS], ids=[case[0] for case in MARGINS]
    )
    def test_margin(self, margin: timedelta, left: timedelta | None, life: timedelta | None, window: Window) -> None:
        expires_at, settings = None if left is None else NOW + left, replace(WINDOWS, margin=margin)
        assert window_of(expires_at, lifetime=life, now=NOW, settings=settings) is window

    @pytest.mark.parametrize(("left", "life", "window"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
    def test_case(self, left: timedelta | None, life: timedelta | None, window: Window) -> None:
        expires_at = None if left is None else NOW + left
        assert window_of(expires_at, lifetime=life, now=NOW, settings=WINDOWS) is window


@given(life=st.timedeltas(min_value=SECOND, max_value=MAX_LIFETIME), share=st.floats(min_value=0, max_value=1))
def test_time_only_moves_a_token_forward(life: timedelta, share: float) -> None:
    order = [FRESH, ADVISORY, MANDATORY, EXPIRED]

    def position(at: datetime) -> int:
        return order.index(window_of(NOW + life, lifetime=life, now=at, settings=WINDOWS))

    later = NOW + life * share
    assert position(NOW) == 0, "a token that was just issued is fresh, however short its life"
    assert position(later) <= position(later + SECOND)
    assert position(NOW + life) == order.index(EXPIRED)


CAPPED = Expiry(NOW + MAX_LIFETIME, capped=True)
IN_400_DAYS = 400 * 86_400


def at(seconds: int) -> Expiry:
    return Expiry(datetime.fromtimestamp(seconds, UTC))


DURATIONS: dict[int, Expiry] = {
    1: Expiry(NOW + SECOND),
    7_776_000: Expiry(NOW + 90 * DAY),
    IN_400_DAYS: Expiry(NOW + MAX_LIFETIME),
    IN_400_DAYS + 1: CAPPED,
    10**9: CAPPED,
    # Epoch seconds.
    10**9 + 1: at(10**9 + 1),
    EPOCH - 1: at(EPOCH - 1),
    EPOCH + 3600: Expiry(NOW + HOUR),
    EPOCH + IN_400_DAYS: Expiry(NOW + MAX_LIFETIME),
    EPOCH + IN_400_DAYS + 1: CAPPED,
    10**12: CAPPED,
    # Epoch milliseconds.
    10**12 + 1: at(10**9),
    (EPOCH - 1) * 1000: at(EPOCH - 1),
    (EPOCH + 3600) * 1000: Expiry(NOW + HOUR),
    (EPOCH + IN_400_DAYS) * 1000: Expiry(NOW + MAX_LIFETIME),
    (EPOCH + IN_400_DAYS + 1) * 1000: CAPPED,
    10**300: CAPPED,
}
NOT_WHOLE: list[object] = [True, False, 3600.0, float("inf"), "3600", "2027-01-01T00:00:00Z", None, [3600], {"s": 3600}]
NOT_POSITIVE: list[object] = [0, -1, -(10**300)]
WRONG = [*((no, "not positive") for no in NOT_POSITIVE), *((no, "not a whole number") for no in NOT_WHOLE)]


class TestReadExpiresIn:
    @pytest.mark.parametrize(("value", "expiry"), DURATIONS.items())
    def test_is_read_by_magnitude(self, value: int, expiry: Expiry) -> None:
        assert read_expires_in(value, counted_from=NOW) == expiry

    @pytest.mark.parametrize(("value", "why"), WRONG)
    def test_wrong_values_are_not_shown(self, value: object, why: str) -> None:
        with pytest.raises(ValueError, match=f"^expiresIn is {why}$"):
            read_expires_in(value, counted_from=NOW)


@given(value=st.integers(min_value=1))
def test_no_number_means_more_than_400_days(value: int) -> None:
    expiry = read_expires_in(value, counted_from=NOW)
    assert expiry == CAPPED if expiry.capped else expiry.at <= CAPPED.at


class TestIsoUtc:
    @pytest.fixture(params=["UTC", "America/New_York"], autouse=True)
    def machine(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        with monkeypatch.context() as patched:
            patched.setenv("TZ", request.param)
            time.tzset()
            yield
        time.tzset()

    @pytest.mark.parametrize(
        ("when", "text"),
        [
            (NOW, "2026-11-23T12:00:00Z"),
            (NOW + timedelta(microseconds=999_999), "2026-11-23T12:00:00Z"),
            (datetime(2026, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=2))), "2025-12-31T23:30:00Z"),
            (datetime(2026, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=-5))), "2026-01-01T06:30:00Z"),
            (datetime(33, 4, 3, tzinfo=UTC), "0033-04-03T00:00:00Z"),
        ],
        ids=["UTC", "fraction", "east", "west", "four digits"],
    )
    def test_is_utc_to_the_second(self, when: datetime, text: str) -> None:
        assert iso_utc(when) == text

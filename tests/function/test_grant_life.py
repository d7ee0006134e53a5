"""When a grant ends, when a tick keeps it alive, and which tokens ticks leave to consumers."""

from datetime import datetime, timedelta

import pytest

from refresh_token.core.grant_life import GrantLife
from refresh_token.core.refresh_policy import on_demand
from refresh_token.core.token_pair import TokenPair
from tests.support.fakes import NOW

DAY = timedelta(days=1)
Times = tuple[int | None, int | None, int | None]

# (idle days, days in all, when granted, when refreshed, said to expire; end, when to keep alive), as days from now
LIVES: dict[str, tuple[tuple[int, int], Times, int | None, int | None]] = {
    "nothing is known": ((0, 0), (-9, -3, None), None, None),
    "the provider says": ((0, 0), (-9, -3, 27), 27, 17),
    "idle": ((60, 0), (-90, -3, None), 57, 37),
    "idle, never refreshed": ((60, 0), (-3, None, None), 57, 37),
    "idle, without a time": ((60, 0), (None, None, None), None, None),
    "in all": ((0, 365), (-300, -3, None), 65, None),
    "in all, without a time": ((0, 365), (None, -3, None), None, None),
    "the provider ends it first": ((60, 365), (-9, -3, 27), 27, 17),
    "idleness ends it first": ((60, 365), (-9, -3, 87), 57, 37),
    "its age ends it first": ((60, 365), (-360, -3, 87), 5, 37),
    "it outlived what the provider said": ((0, 0), (-9, -3, -4), -4, None),
    "it outlived that, and idleness is known": ((60, 0), (-9, -3, -4), -4, 37),
}


def days(number: int | None) -> datetime | None:
    return None if number is None else NOW + number * DAY


class TestGrantLife:
    @pytest.mark.parametrize(("settings", "times", "end", "keep_alive"), LIVES.values(), ids=LIVES)
    def test_life(self, settings: tuple[int, int], times: Times, end: int | None, keep_alive: int | None) -> None:
        granted, refreshed, said = map(days, times)
        pair = TokenPair(
            access_token="a", refresh_token="r", granted_at=granted, refreshed_at=refreshed, refresh_expires_at=said
        )
        life = GrantLife.of_days(idle=settings[0], absolute=settings[1])
        assert (life.end(pair), life.keep_alive_at(pair)) == (days(end), days(keep_alive))

    @pytest.mark.parametrize(
        ("margin", "expires", "keep_alive"),
        [
            (0, 30, 20),  # what is not set delays nothing
            (1, 31, 30),
            (1, 11, 20),
            (1, 40, 39),
            (1, 41, 20),  # the grant would be over
            (1, None, 20),
        ],
    )
    def test_a_margin_delays_it_in_time(self, margin: int, expires: int | None, keep_alive: int) -> None:
        pair = TokenPair(access_token="a", refresh_token="r", refreshed_at=days(-20), expires_at=days(expires))
        life = GrantLife.of_days(idle=60, absolute=0)
        assert life.keep_alive_at(pair, margin=margin * DAY) == days(keep_alive)

    @pytest.mark.parametrize(
        ("settings", "times", "ending"),
        [
            ((0, 0), (None, -50, None), False),  # nothing is known
            ((60, 0), (None, -49, None), False),
            ((60, 0), (None, -50, None), True),
            ((3, 0), (None, 0, None), False),  # a short life alone is no reason
            ((0, 365), (-350, 0, None), False),
            ((0, 365), (-351, 0, None), True),
            ((0, 0), (None, -5, 1), True),
            ((0, 0), (None, -4, 1), False),
            ((0, 0), (None, None, 14), True),  # the length of the life is not known
            ((0, 0), (None, None, 15), False),
            ((0, 0), (None, -1, -2), True),
            ((60, 365), (-351, 0, None), True),  # the nearest end counts
            ((0, 0), (None, 0, 9, -44), False),  # an end that refreshes have not moved
            ((0, 0), (None, 0, 9, -45), True),
            ((0, 0), (-300, 0, 14, -1), False),
        ],
    )
    def test_it_is_ending_in_its_last_sixth(
        self, *, settings: tuple[int, int], times: tuple[int | None, ...], ending: bool
    ) -> None:
        granted, refreshed, said, since = map(days, (*times, None)[:4])
        pair = TokenPair(
            access_token="a",
            refresh_token="r",
            granted_at=granted,
            refreshed_at=refreshed,
            refresh_expires_at=said,
            refresh_expires_since=since,
        )
        assert GrantLife.of_days(idle=settings[0], absolute=settings[1]).is_ending(pair, now=NOW) is ending


@pytest.mark.parametrize(("seconds", "policies"), [(1295, {"auto", "demand"}), (1296, {"demand"}), (None, {"demand"})])
def test_ticks_leave_short_lives_to_consumers(seconds: int | None, policies: set[str]) -> None:
    expires_at = None if seconds is None else NOW + timedelta(seconds=seconds)
    pair = TokenPair(access_token="a", refresh_token="r", refreshed_at=NOW, expires_at=expires_at)
    assert {policy for policy in ("auto", "always", "demand") if on_demand(policy, pair)} == policies

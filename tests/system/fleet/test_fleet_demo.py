"""The fleet's demo, small, with a hand on the clock: leases and waits end when the test says so."""

import io
import time
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from local.demo_step import DemoFailedError
from local.fleet_demo import FleetDemo
from local.fleet_fates import Connection, Fate, check_all
from local.fleet_screen import line, screen
from local.fleet_watch import Look
from local.standin import Counts, Grant
from tests.support.deployed_fleet import DeployedFleet

GRANT = Grant(client_id="app", user="u", access_token="live", refresh_token="r", expires_in=1, expires_at=1.0)
SEEN = Counts(refreshed=1, answered=1)
CONNECTION = Connection(
    name="u", state="active", access_token=GRANT.access_token, counts=SEEN, grant=GRANT, was_killed=False
)


@pytest.mark.xdist_group("fleet")
def test_the_demo_explains_every_call(fleet: DeployedFleet) -> None:
    printed, hurried = io.StringIO(), [time.monotonic()]

    def hurry(_: object) -> None:
        if time.monotonic() - hurried[0] > 5:
            fleet.hurry()
            hurried[0] = time.monotonic()

    fleet.tick()
    FleetDemo(Console(file=printed, width=120), fleet.cloud).play(fleet.deployment, 30, between=hurry)
    shown = printed.getvalue()
    assert "Killed the worker" in shown
    assert "All checks of the demo passed." in shown.replace("\n", " ")
    assert [fate for fate in (Fate.REFRESHED, Fate.KILLED, Fate.REFUSED) if fate not in shown] == []


class TestFates:
    @pytest.mark.parametrize(
        ("counts", "fate"),
        [
            ({"refreshed": 1, "answered": 1}, Fate.REFRESHED),
            ({"refreshed": 1, "answered": 1, "limited": 2}, Fate.LIMITED),
            ({"refreshed": 1, "answered": 1, "limited": 2, "failed": 1}, Fate.FAILED),
            ({"refused": 1, "limited": 1}, Fate.REFUSED),
            ({"refused": 2}, Fate.NONE),
            ({"refreshed": 2, "answered": 2}, Fate.NONE),
            ({"refreshed": 1, "answered": 1, "refused": 1}, Fate.NONE),
            ({"refreshed": 1, "failed": 1}, Fate.NONE),
            ({"refreshed": 1, "answered": 1, "failed": 1, "killed": True}, Fate.KILLED),
            ({"refreshed": 1, "answered": 1, "killed": True}, Fate.NONE),
            ({"failed": 1, "refused": 1, "killed": True}, Fate.NONE),
            ({}, Fate.NONE),
        ],
    )
    def test_follow_from_the_providers_counts(self, counts: dict[str, int], fate: Fate) -> None:
        seen = Counts(**{name: number for name, number in counts.items() if name != "killed"})
        assert replace(CONNECTION, counts=seen, was_killed="killed" in counts).fate is fate

    @pytest.mark.parametrize(
        ("one", "refused", "found"),
        [
            ({"state": "cooling"}, [], "hold their live token"),
            ({"access_token": "dead"}, [], "hold their live token"),
            ({"counts": replace(SEEN, refreshed=2)}, [], "are explained"),
            ({}, ["u"], "exactly those are refused"),
            ({"counts": replace(SEEN, reused=1)}, [], "no spent refresh token"),
        ],
    )
    def test_must_be_what_the_fleet_says(self, one: dict[str, Any], refused: list[str], found: str) -> None:
        check_all([CONNECTION], [], {"u": SEEN})
        with pytest.raises(DemoFailedError, match=found):
            check_all([replace(CONNECTION, **one)], refused, {"u": SEEN})
        with pytest.raises(DemoFailedError, match="no other tokens"):
            check_all([CONNECTION], [], {"u": SEEN, "stranger": SEEN})


class TestScreen:
    LOOK = Look(
        states={"active": 9_998, "cooling": 1, "refused": 400},
        size=10_399,
        refreshed=9_998,
        refused=400,
        due=0,
        queued=0,
        answers={"200": 9_998, "429": 12_345, "503": 12_345, "400": 400},
        rate=199.9,
        braked=True,
        next_tick=-3.0,
        left={f"{'t' * 64}/{'u' * 64}": 61.0},
    )

    @pytest.mark.parametrize("width", [40, 60, 80, 200])
    def test_no_width_hides_anything(self, width: int) -> None:
        printed = io.StringIO()
        Console(file=printed, width=width).print(screen(self.LOOK, 61.0))
        shown = printed.getvalue()
        assert max(map(len, shown.splitlines())) <= width
        letters = "".join(shown.split())
        for part in ("1:01", "9998of10399", "400:", "12345x503", "BRAKED", f"{'u' * 64},duein1:01", "nextanymoment"):
            assert part in letters

    def test_a_log_says_the_same(self) -> None:
        said = line(replace(self.LOOK, left={}, braked=False), 605.0)
        assert said.startswith("10:05  9998 of 10399 refreshed, 400 refused;")
        assert said.endswith("not braked; the dispatcher looks each minute, next any moment")

"""When the alarms of a fleet go off and are over. `test_alarm_times` shows that the simulator follows CloudWatch."""

from collections.abc import Callable

import pytest

from refresh_token.fleet.signals import FleetAlarm
from tests.support.alarm_simulator import ALARM, OK, CloudWatch, Series, SimulatedAlarm, alarms_of
from tests.support.synthesised import Synthesised

pytestmark = pytest.mark.xdist_group("synth")

HOUR, DAY = 60, 24 * 60
WELL = {"Dispatched": 1, "OverdueConnections": 0, "Braked": 0, "Stuck": 0, "Refreshed": 5}
VISIBLE, AGE = "ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"


def fleet(**trouble: float) -> Series:
    """Return two days of looks each minute, and what is different from the first day's end on, for two hours."""
    series = Series()
    for minute in range(10, 2 * DAY):
        told = WELL | (trouble if DAY <= minute < DAY + 2 * HOUR else {})
        series.add(minute, **{name: value for name, value in told.items() if value >= 0})
    return series


def now_and_then(minutes: int, **values: float) -> Series:
    """Return a fleet that is well, but for what happens every so many minutes within the two hours."""
    series = fleet()
    for minute in range(DAY, DAY + 2 * HOUR, minutes):
        series.add(minute, **values)
    return series


def refused(count: int, *, of: int) -> Series:
    """Return a fleet where so many grants of all refreshed ones are refused within 20 minutes."""
    series = fleet(Refreshed=0)
    for place in range(of):
        minute = DAY + place * 20 // of
        series.add(minute, ReauthorizationRequired=1) if place < count else series.add(minute, Refreshed=1)
    return series


RINGS = [
    ("all is well", fleet(), None),
    ("overdue", fleet(OverdueConnections=1), (FleetAlarm.OVERDUE, 15, 2 * HOUR)),
    ("overdue at times", now_and_then(30, OverdueConnections=3), None),
    ("braked", fleet(Braked=1), (FleetAlarm.BRAKED, 15, 2 * HOUR)),
    ("braked at times", now_and_then(30, Braked=1), None),
    ("stuck", fleet(Stuck=1), (FleetAlarm.STUCK, 0, 2 * HOUR)),
    ("no looks", fleet(**dict.fromkeys(WELL, -1)), (FleetAlarm.NO_DISPATCH, 15, 2 * HOUR)),
    ("one look lost", now_and_then(45, Dispatched=0), None),
    ("dead letters", fleet(**{VISIBLE: 1}), (FleetAlarm.DEAD_LETTERS, 0, 2 * HOUR)),
    ("no workers", fleet(**{AGE: 7000}), (FleetAlarm.QUEUE_AGE, 15, 2 * HOUR)),
    ("one poison", fleet(**{AGE: 1000}), None),
    ("not stored", now_and_then(500, TokenNotStored=1), (FleetAlarm.TOKEN_NOT_STORED, 0, 5)),
    ("faults", now_and_then(4, Failures=1, Faults=1), (FleetAlarm.FAULTS, 10, 2 * HOUR + 40)),
    ("one fault", now_and_then(500, Failures=1, Faults=1), None),
    ("crashes", now_and_then(4, Errors=1), (FleetAlarm.FUNCTION_ERRORS, 10, 2 * HOUR + 40)),
    ("throttled questions", now_and_then(4, Throttles=1), (FleetAlarm.FUNCTION_ERRORS, 10, 2 * HOUR + 40)),
    ("an app is suspended", refused(40, of=40), (FleetAlarm.REFUSED, 0, HOUR + 20)),
    ("one user leaves", refused(1, of=5), None),
    ("only nine users", refused(9, of=9), None),
    ("many users of very many", refused(12, of=600), None),
    ("the provider is down", now_and_then(1, Failures=9, RefreshFailed=9), None),
]


@pytest.fixture(scope="module")
def alarms(synthesised: Callable[[str], Synthesised]) -> dict[str, SimulatedAlarm]:
    return alarms_of(synthesised("prod-fleet").template, FleetAlarm)


@pytest.mark.parametrize(("series", "ring"), [row[1:] for row in RINGS], ids=[row[0] for row in RINGS])
def test_one_trouble_rings_one_alarm(
    series: Series, ring: tuple[str, int, int] | None, alarms: dict[str, SimulatedAlarm]
) -> None:
    for name, alarm in alarms.items():
        for cloudwatch in (CloudWatch(), CloudWatch(more=0, lag=2)):
            changes = alarm.changes(series, DAY - HOUR, 2 * DAY - 30, cloudwatch)
            if ring is None or name != ring[0]:
                assert changes == [], (name, cloudwatch)
                continue
            (rings, state), (over, then) = changes
            assert (state, then) == (ALARM, OK)
            assert DAY + ring[1] <= rings <= DAY + ring[1] + 20, cloudwatch
            assert DAY + ring[2] <= over <= DAY + ring[2] + 20, cloudwatch

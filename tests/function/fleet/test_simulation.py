"""The simulation drives the fleet's own decisions, so a small one shows what they lead to together."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bench.simulation.fleet import Shape
from bench.simulation.provider import Behaviour
from bench.simulation.scenarios import HOUR, MINUTE, Outcome, Scenario

SHAPE = Shape(connections=2_000, life=timedelta(hours=1), rate=2, workers=2)
STEADY = Scenario(name="steady", shape=SHAPE, hours=2, grain=1)
OUTAGE = replace(
    STEADY,
    hours=4,
    provider=Behaviour(down=(10 * MINUTE, 2 * HOUR)),
    disturbed_until=2 * HOUR,
)
IMPORT = replace(STEADY, is_import=True)
REFUSED = replace(STEADY, provider=Behaviour(refuses=(10 * MINUTE, HOUR)))


@pytest.fixture(scope="module")
def outage() -> Outcome:
    return OUTAGE.run()


def test_a_steady_fleet_never_lets_one_die() -> None:
    outcome = STEADY.run()
    assert (outcome.least_alive, outcome.vain, outcome.braked) == (1.0, 0, 0)
    periods = 2 * 60 / 45  # the mean of the first half of the last third
    assert outcome.calls == pytest.approx(2_000 * periods, rel=0.1), "each is refreshed once in its period"


def test_all_live_again_after_an_outage(outage: Outcome) -> None:
    assert outcome_is_timely(outage, seconds=SHAPE.connections / SHAPE.rate)


def test_the_brake_saves_most_calls_in_vain(outage: Outcome) -> None:
    without = replace(OUTAGE, has_brake=False).run()
    assert (without.braked, outage.braked > 100) == (0, True)
    assert outage.vain < 0.2 * without.vain


def test_an_import_is_alive_in_its_time() -> None:
    assert outcome_is_timely(IMPORT.run(), seconds=SHAPE.connections / SHAPE.rate)


def test_a_mass_refusal_stops_after_minutes() -> None:
    outcome = REFUSED.run()
    assert 0 < outcome.refused < 0.2 * SHAPE.connections


def outcome_is_timely(outcome: Outcome, *, seconds: float) -> bool:
    assert outcome.recovered is not None
    return seconds * 0.9 <= outcome.recovered <= seconds * 1.6

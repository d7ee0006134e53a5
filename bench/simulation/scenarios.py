"""What is simulated, and what came of it."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from bench.simulation.fleet import Fleet, Shape
from bench.simulation.provider import Behaviour, SimulatedProvider

WELL: Final = Behaviour()

MINUTE: Final = 60
HOUR: Final = 3_600
MILLION: Final = 1_000_000

MOSTLY: Final = 0.99
"""The share of live tokens that counts as recovered, among the connections that were not refused."""

LARGE: Final = Shape(connections=MILLION, life=timedelta(hours=1), rate=600, workers=300, memory_mb=1_769)
"""Short tokens need many refreshes: 370 a second."""
LONG: Final = Shape(connections=MILLION, life=timedelta(days=90), rate=10, workers=10)
"""The same with Figma's life, and the default settings."""
SMALL: Final = Shape(connections=10_000, life=timedelta(hours=1), rate=10, workers=10)

OUTAGE: Final = (10 * MINUTE, 10 * MINUTE + 6 * HOUR)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a scenario, in real connections and calls."""

    least_alive: float
    """The smallest share of live tokens; after an import, of those that followed."""
    recovered: float | None
    """Seconds until `MOSTLY` were alive after the disturbance, None if that did not happen."""
    calls: int
    vain: int
    refused: int
    busiest: int
    """Calls in the busiest second."""
    oldest_overdue: int
    braked: int
    """Minutes."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A fleet and a provider over some hours. `disturbed_until` is when the provider is well again."""

    name: str
    shape: Shape
    hours: float
    provider: Behaviour = WELL
    disturbed_until: float = 0
    has_brake: bool = True
    is_import: bool = False
    grain: int = 40
    """How many connections one of the simulation stands for."""

    @property
    def is_disturbed(self) -> bool:
        """Whether there is something to recover from."""
        return self.is_import or self.disturbed_until > 0

    def run(self, grain: int | None = None) -> Outcome:
        """Simulate it."""
        grain = grain or self.grain
        provider = SimulatedProvider(self.provider, grain)
        fleet = Fleet(self.shape, provider, grain=grain, has_brake=self.has_brake)
        if self.is_import:
            fleet.add_new(over=self.shape.connections / self.shape.rate)
        else:
            fleet.add_steady()
        least, overdue, recovered = 1.0, 0, None
        while fleet.now < self.hours * HOUR:
            fleet.minute()
            overdue = max(overdue, fleet.seen.looks[0].oldest_overdue)
            if not self.is_import or recovered is not None:
                least = min(least, fleet.alive)
            most = MOSTLY * (1 - provider.refused / fleet.size)
            if recovered is None and fleet.now >= self.disturbed_until and fleet.alive >= most:
                recovered = fleet.now - self.disturbed_until
        return Outcome(
            least_alive=least,
            recovered=recovered,
            calls=provider.calls * grain,
            vain=provider.vain * grain,
            refused=provider.refused * grain,
            busiest=provider.busiest * grain,
            oldest_overdue=overdue,
            braked=fleet.brakes.braked_ticks,
        )


SCENARIOS: Final = (
    Scenario(name="steady, tokens of one hour", shape=LARGE, hours=1.5),
    Scenario(name="steady, tokens of 90 days", shape=LONG, hours=12, grain=10),
    Scenario(name="import of all at one instant", shape=LARGE, hours=1.5, is_import=True),
    Scenario(
        name="import, provider allows 400 a second",
        shape=LARGE,
        hours=2.5,
        is_import=True,
        provider=Behaviour(rate_limit=400),
    ),
    Scenario(
        name="import, provider allows 150 a second",
        shape=replace(LARGE, life=timedelta(days=90)),
        hours=6,
        is_import=True,
        provider=Behaviour(rate_limit=150),
    ),
    Scenario(
        name="outage of six hours",
        shape=LARGE,
        hours=7.25,
        provider=Behaviour(down=OUTAGE),
        disturbed_until=OUTAGE[1],
        grain=10,
    ),
    Scenario(
        name="outage of six hours, without the brake",
        shape=LARGE,
        hours=7.25,
        provider=Behaviour(down=OUTAGE),
        disturbed_until=OUTAGE[1],
        has_brake=False,
        grain=100,
    ),
    Scenario(
        name="outage of six hours, no answer for 10 s",
        shape=LARGE,
        hours=7.25,
        provider=Behaviour(down=OUTAGE, timeout=10),
        disturbed_until=OUTAGE[1],
    ),
    Scenario(
        name="outage of six hours, default settings",
        shape=SMALL,
        hours=7.25,
        provider=Behaviour(down=OUTAGE),
        disturbed_until=OUTAGE[1],
        grain=1,
    ),
    Scenario(
        name="the provider refuses every grant for an hour",
        shape=LARGE,
        hours=2,
        provider=Behaviour(refuses=(10 * MINUTE, 70 * MINUTE)),
        disturbed_until=70 * MINUTE,
    ),
)

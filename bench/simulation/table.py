"""The table of what was simulated."""

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from bench.simulation.scenarios import SCENARIOS, Outcome, Scenario

COLUMNS = (
    "scenario",
    "fleet",
    "until 99 % live",
    "least alive",
    "calls",
    "in vain",
    "busiest second",
    "oldest overdue",
    "braked",
)


def simulate(scenarios: Sequence[Scenario] = SCENARIOS, *, grain: int | None = None) -> list[tuple[Scenario, Outcome]]:
    """Run the scenarios, as many at a time as there are processors."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        return list(zip(scenarios, pool.map(_run, scenarios, [grain] * len(scenarios)), strict=True))


def _run(scenario: Scenario, grain: int | None) -> Outcome:
    return scenario.run(grain)


def rows(found: Sequence[tuple[Scenario, Outcome]]) -> list[tuple[str, ...]]:
    """Return the cells of the table."""
    return [
        (
            scenario.name,
            f"{shape.connections:,}, {_span(shape.life.total_seconds())}, {shape.rate}/s",
            "" if not scenario.is_disturbed else "never" if (seen := outcome.recovered) is None else _span(seen),
            f"{outcome.least_alive:.1%}",
            f"{outcome.calls:,}",
            f"{outcome.vain:,}",
            f"{outcome.busiest:,}",
            _span(outcome.oldest_overdue),
            _span(outcome.braked * 60) if outcome.braked else "",
        )
        for scenario, outcome in found
        for shape in [scenario.shape]
    ]


def _span(seconds: float) -> str:
    """Return a time in its two largest units."""
    minutes = round(seconds / 60)
    if seconds < 120:  # noqa: PLR2004 - below two minutes, seconds say more
        return f"{seconds:.0f} s"
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [f"{number} {unit}" for number, unit in ((days, "d"), (hours, "h"), (rest, "min")) if number]
    return " ".join(parts[:2])

"""How many connections a fleet can refresh with its settings."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from refresh_token.fleet.dispatcher import END_RESERVE
from refresh_token.fleet.pacing import PERIOD, TICK_TIMEOUT

if TYPE_CHECKING:
    from token_refresher.settings.fleet_settings import StandAloneSettings

WHOLE_PROCESSOR_MB: Final = 1_769
"""With so much memory, a function has one processor (Lambda Developer Guide, "Configure Lambda function memory")."""

LEASE_SECONDS: Final = 0.0015
"""Of a whole processor, for each lease (`make bench`). Threads hide the waiting, but Python computes in one of them."""

OF_A_WORKER: Final = 2
"""Refreshes a second: half a second for the calls of DynamoDB, KMS and the provider."""


def leases_a_second(memory_mb: int) -> float:
    """Return how many connections a dispatcher with so much memory leases while it runs."""
    return min(1.0, memory_mb / WHOLE_PROCESSOR_MB) / LEASE_SECONDS


def bottlenecks(settings: "StandAloneSettings") -> Iterator[str]:
    """Return for each setting that keeps the fleet from ``refreshes_per_second`` what it allows, and what to do."""
    memory, workers, rate = settings["memory_mb"], settings["max_workers"], settings["refreshes_per_second"]
    leases = leases_a_second(memory) * (TICK_TIMEOUT - END_RESERVE) / PERIOD
    if leases < rate:
        advice = "Raise memory_mb" if memory < WHOLE_PROCESSOR_MB else "More memory does not help: use several fleets"
        yield f"memory_mb={memory} lets the dispatcher send about {leases:.0f} connections a second. {advice}"
    if workers * OF_A_WORKER < rate:
        yield f"max_workers={workers} make about {workers * OF_A_WORKER} refreshes a second. Raise max_workers"

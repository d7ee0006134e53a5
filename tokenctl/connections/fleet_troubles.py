"""What is wrong with a fleet, for the verdict of `tokenctl status` and for `tokenctl doctor`."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final, NamedTuple

from refresh_token.fleet.signals import FleetAlarm
from refresh_token.fleet.states import State
from tokenctl.stack.runbook import entry_of
from tokenctl.stack.token_life import duration

MAX_OVERDUE: Final = timedelta(minutes=15)
"""How long a connection may wait for its refresh. Beyond that, the fleet is too slow or stands still."""

MIN_REFUSED: Final = 10
MAX_REFUSED_SHARE: Final = 0.05
"""Fewer refused connections are their users' affair; more speak against the app or the provider."""


class Trouble(NamedTuple):
    """What needs attention, and where the runbook helps."""

    what: str
    entry: str

    def __str__(self) -> str:
        """Return both, as a part of the verdict."""
        return f"{self.what}: see {self.entry}"


def brakes_in(fleet: Mapping[str, Any]) -> Iterator[Trouble]:
    """Yield the providers whose refreshes are held back."""
    for provider in fleet["providers"]:
        if since := provider["brakedSince"]:
            yield Trouble(f"{provider['provider']} is braked since {since}", entry_of(FleetAlarm.BRAKED))


def waiting_in(fleet: Mapping[str, Any]) -> Iterator[Trouble]:
    """Yield what is wrong with the connections themselves."""
    states: Mapping[str, int] = fleet["byState"]
    for state in (State.STUCK, State.MALFORMED):
        if count := states[state]:
            yield Trouble(f"{_are(count)} {state}", entry_of(FleetAlarm.STUCK))
    if is_mass_refusal(fleet):
        yield Trouble(f"{_are(states[State.REFUSED])} refused", entry_of(FleetAlarm.REFUSED))
    if (seconds := fleet["oldestOverdueSeconds"]) > MAX_OVERDUE.total_seconds():
        text = f"{_are(fleet['due'])} due, the oldest for {duration(seconds)}"
        yield Trouble(text, entry_of(FleetAlarm.OVERDUE))


def troubles_in(fleet: Mapping[str, Any]) -> Iterator[Trouble]:
    """Yield all that needs attention, from the fleet's part of the report of `tokenctl status`."""
    yield from brakes_in(fleet)
    yield from waiting_in(fleet)
    if lost := fleet["deadLetters"]:
        text = f"{lost} message{'s' * (lost > 1)} of the connections in a dead-letter queue"
        yield Trouble(text, entry_of(FleetAlarm.DEAD_LETTERS))


def is_mass_refusal(fleet: Mapping[str, Any]) -> bool:
    """Tell whether so many connections are refused that it cannot be their users' doing."""
    refused = fleet["byState"][State.REFUSED]
    return bool(refused >= max(MIN_REFUSED, MAX_REFUSED_SHARE * fleet["connections"]))


def nobody_is_served(fleet: Mapping[str, Any]) -> bool:
    """Tell whether there are connections, and each of them needs a person."""
    states: Mapping[str, int] = fleet["byState"]
    meant_to_live = fleet["connections"] - states[State.PAUSED] - states[State.REVOKED]
    return meant_to_live > 0 and not states[State.ACTIVE] + states[State.COOLING]


def _are(count: int) -> str:
    return f"{count} connection{' is' if count == 1 else 's are'}"

"""The connections of a fleet on the screen of `tokenctl status`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from rich.text import Text

from tokenctl.stack.token_life import duration, relative_to
from tokenctl.terminal.connection_lines import colour_of

_BAD: Final = "bold red"


def draw_fleet(fleet: Mapping[str, Any], now: datetime) -> Text:
    """Return a few lines: the states, what is due and how fast it is refreshed, brakes, and the queue."""
    return Text("\n").join([_states(fleet), _due(fleet), *_brakes(fleet, now), _queue(fleet)])


def _states(fleet: Mapping[str, Any]) -> Text:
    least = "" if fleet["complete"] else "at least "
    states = [
        Text(f"{count:,} {state}".replace(",", " "), colour_of(state))
        for state, count in fleet["byState"].items()
        if count or state == "active"
    ]
    return Text(least) + Text(", ").join(states)


def _due(fleet: Mapping[str, Any]) -> Text:
    text = Text(f"{fleet['due']} due" if fleet["due"] else "none is due")
    if fleet["due"]:
        text.append(f", the oldest for {duration(fleet['oldestOverdueSeconds'])}")
    if (rate := fleet["refreshesPerSecond"]) is not None:
        text.append(f"; {rate:g} refreshes a second")
    if most := fleet["maxRefreshesPerSecond"]:
        text.append(f"; at most {most} a second{' for each provider' if len(fleet['providers']) > 1 else ''}")
    return text


def _brakes(fleet: Mapping[str, Any], now: datetime) -> list[Text]:
    """Return a line if any provider is braked."""
    braked = [
        f"{one['provider']} ({relative_to(now, one['brakedSince'])})"
        for one in fleet["providers"]
        if one["brakedSince"]
    ]
    return [Text(f"BRAKED: {', '.join(braked)}", _BAD)] if braked else []


def _queue(fleet: Mapping[str, Any]) -> Text:
    queue, lost = fleet["queue"], fleet["deadLetters"]
    if queue is None:
        text = Text("the queue cannot be read", _BAD)
    else:
        text = Text(f"queue: {queue['waiting']} waiting, {queue['underWay']} under way")
    if lost:
        text.append(f"; {lost} in the dead-letter queue", _BAD)
    return text

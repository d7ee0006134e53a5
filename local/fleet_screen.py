"""What the fleet's demo shows while it watches: a screen that is drawn again, or lines of a log."""

from collections.abc import Mapping
from typing import Final

from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from local.fleet_watch import Look

BAR: Final = 50
NAMED: Final = 3
"""How many connections are left when they are named."""

_STATES: Final = {
    "active": "the fleet keeps them alive",
    "cooling": "a refresh failed, and the fleet will try again",
    "refused": "the provider refuses, so a person must sign in again",
}


def line(look: Look, seconds: float) -> str:
    """Return a look as one line; `seconds` is how long the demo has watched."""
    answers = ", ".join(f"{number} x {answer}" for answer, number in look.answers.items() if number)
    return (
        f"{clock(seconds)}  {look.refreshed} of {look.size} refreshed, {look.refused} refused; {look.due} due, "
        f"{look.queued} in the queue; the provider gets {look.rate:.1f} calls a second ({answers or 'none yet'}); "
        f"{_brake(look.braked)}; the dispatcher {_next(look)}" + "".join(f"; waits for {text}" for text in _left(look))
    )


def screen(look: Look, seconds: float) -> Table:
    """Return a look as a screen."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("watched for", clock(seconds))
    table.add_row("refreshed", f"{look.refreshed} of {look.size}")
    table.add_row("", ProgressBar(total=look.size, completed=look.refreshed, width=BAR))
    for state, number in sorted(look.states.items()):
        table.add_row(state, f"{number}: {_STATES[state]}" if state in _STATES else str(number))
    table.add_row("due", f"{look.due}, and {look.queued} in the queue")
    table.add_row("dispatcher", _next(look))
    table.add_row("provider", f"{look.rate:.1f} calls a second, {_brake(look.braked)}")
    table.add_row("", _answers(look.answers))
    for label, text in zip(("waits for", "", ""), _left(look), strict=False):
        table.add_row(label, text)
    return table


def clock(seconds: float) -> str:
    """Return a time in minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _answers(answers: Mapping[str, int]) -> Text:
    colours = {"200": "green", "429": "yellow", "503": "yellow", "400": "red"}
    return Text("   ").join(Text(f"{number} x {answer}", colours.get(answer, "")) for answer, number in answers.items())


def _next(look: Look) -> str:
    return f"looks each minute, next {_when(look.next_tick)}"


def _left(look: Look) -> list[str]:
    """Name the last connections, and say when they are due. The next look of the dispatcher then finds them."""
    if len(look.left) > NAMED:
        return []
    return [f"{name}, due {_when(seconds) if seconds > 0 else 'now'}" for name, seconds in look.left.items()]


def _when(seconds: float) -> str:
    return f"in {clock(seconds)}" if seconds > 0 else "any moment"


def _brake(braked: bool) -> str:  # noqa: FBT001 - the value itself
    return "BRAKED: only as many as worked" if braked else "not braked"

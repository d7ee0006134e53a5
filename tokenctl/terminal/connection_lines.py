"""Connections as lines for people, in columns."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

import click

from tokenctl.stack.token_life import relative_to

ALIGNED: Final = 100
"""How many lines have the same columns: a long list is printed while it is read."""
MAX_NAME: Final = 40
"""Columns of a name. A longer one moves the rest of its own line only."""

_COLOURS: Final = {"active": "green", "cooling": "yellow", "paused": "dim", "revoked": "dim"}
"""Of the states; the others need a person."""

Row = Mapping[str, str | None]


def drawn(rows: Iterable[Row], *, now: datetime) -> Iterator[str]:
    """Yield a line for each connection. Its state comes first, so that no width of a terminal hides it.

    If `rows` raises an error, what it yielded before is drawn first.
    """
    held: list[tuple[str, ...]] = []
    try:
        for row in rows:
            held.append(_cells(row, now))
            if len(held) == ALIGNED:
                yield from _aligned(held)
                held.clear()
    except Exception:
        yield from _aligned(held)
        raise
    yield from _aligned(held)


def _aligned(cells: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [min(max(map(len, column)), MAX_NAME) for column in zip(*cells, strict=True)]
    for state, *others in cells:
        padded = [cell.ljust(width) for cell, width in zip(others, widths[1:], strict=True)]
        yield f"{_styled(state, widths[0])}  {'  '.join(padded).rstrip()}"


def colour_of(state: str) -> str:
    """Return the style of a state, in Rich's words."""
    return _COLOURS.get(state, "bold red")


def _cells(row: Row, now: datetime) -> tuple[str, ...]:
    expiry, due = row["expiresAt"], row["dueAt"]
    left = (
        f"{'expires' if datetime.fromisoformat(expiry) > now else 'expired'} {relative_to(now, expiry)}"
        if expiry
        else ""
    )
    return (
        row["state"] or "unknown",
        row["connection"] or "",
        row["provider"] or "unknown",
        left or "expiry unknown",
        f"due {relative_to(now, due)}" if due else "not due",
        row["reason"] or "",
    )


def _styled(state: str, width: int) -> str:
    words = colour_of(state).split()
    colour = next((word for word in words if word not in {"bold", "dim"}), None)
    return click.style(state.ljust(width), fg=colour, bold="bold" in words, dim="dim" in words)

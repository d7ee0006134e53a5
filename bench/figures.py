"""One line of the table: what was measured, and how we compare with a peer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

Figures = Sequence[float]


@dataclass(frozen=True, kw_only=True)
class Line:
    """Our figure and a peer's. `ratio` is ours divided by theirs, or the figure that the goal is about."""

    what: str
    ours: str
    peer: str = ""
    theirs: str = ""
    ratio: float | None = None
    goal: str = ""
    met: bool | None = None


def compare(  # noqa: PLR0913 (keyword-only)
    *, what: str, ours: Figures, peer: str, theirs: Figures, unit: str, goal: float | None = None
) -> Line:
    """Return the line that compares two medians. The goal is met if their ratio is at most `goal`."""
    ratio = median(ours) / median(theirs)
    return Line(
        what=what,
        ours=shown(ours, unit),
        peer=peer,
        theirs=shown(theirs, unit),
        ratio=ratio,
        goal="" if goal is None else f"≤ {goal:g}",
        met=None if goal is None else ratio <= goal,
    )


def shown(figures: Figures, unit: str) -> str:
    """Return the median, and in brackets the smallest figure if there is more than one."""
    middle = _rounded(median(figures))
    return f"{middle} {unit}" if len(figures) == 1 else f"{middle} {unit} ({_rounded(min(figures))})"


def grid(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (columns, ("---",) * len(columns), *rows))


def _rounded(number: float) -> str:
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"  # noqa: PLR2004 - three significant digits

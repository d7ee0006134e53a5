"""A line of the table: what was measured, of whom, and how it compares."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

Figures = Sequence[float]


@dataclass(frozen=True, kw_only=True)
class Line:
    """Ours beside a peer's. `ratio` is ours divided by theirs where a goal is a ratio, else the figure itself."""

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
    """Return the line of two medians, which is right when the ratio is at most `goal`."""
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
    """Return the median, and the smallest in brackets where there are several."""
    middle = _rounded(median(figures))
    return f"{middle} {unit}" if len(figures) == 1 else f"{middle} {unit} ({_rounded(min(figures))})"


def _rounded(number: float) -> str:
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"  # noqa: PLR2004 - three digits say enough

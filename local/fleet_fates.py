"""What happened to each connection of the fleet's demo, as the provider counted it, and whether the fleet agrees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rich.box import SIMPLE_HEAD
from rich.table import Table

from local.demo_step import check
from local.standin import Counts, Grant


class Fate(StrEnum):
    """What the provider saw of a connection."""

    REFRESHED = "refreshed at the first call"
    LIMITED = "refreshed after a 429"
    FAILED = "refreshed after a failure"
    KILLED = "refreshed, its worker died"
    REFUSED = "refused: its user revoked"
    NONE = "none of these"


@dataclass(frozen=True, kw_only=True)
class Connection:
    """A connection at the end: what the table says, and what the provider counted. `grant` is None if revoked."""

    name: str
    state: str
    access_token: str
    counts: Counts
    grant: Grant | None
    was_killed: bool

    @property
    def fate(self) -> Fate:
        """Return what happened, from the provider's counts alone."""
        seen = self.counts
        if self.was_killed:
            return Fate.KILLED if (seen.refreshed, seen.refused, seen.failed > 0) == (1, 0, True) else Fate.NONE
        if (seen.refreshed, seen.answered) == (0, 0):
            return Fate.REFUSED if seen.refused == 1 else Fate.NONE
        if (seen.refreshed, seen.answered, seen.refused) != (1, 1, 0):
            return Fate.NONE
        return Fate.FAILED if seen.failed else Fate.LIMITED if seen.limited else Fate.REFRESHED

    @property
    def is_live(self) -> bool:
        """Whether the table holds the token that the provider accepts."""
        return self.grant is not None and self.state == "active" and self.access_token == self.grant.access_token


def by_fate(connections: Sequence[Connection]) -> dict[Fate, list[Connection]]:
    """Return the connections of each fate."""
    return {fate: [one for one in connections if one.fate is fate] for fate in Fate}


def table(connections: Sequence[Connection]) -> Table:
    """Return the table of what happened to all of them."""
    caption = (
        "429: over the rate limit. failed: 503, or the worker was killed. issued: access tokens. live: the fleet holds "
        "the token that the provider accepts."
    )
    drawn = Table(
        title="What happened to every connection, as the provider counted it",
        title_justify="left",
        caption=caption,
        caption_justify="left",
        box=SIMPLE_HEAD,
    )
    for column in ("what happened", "number", "calls", "429", "failed", "issued", "live"):
        drawn.add_column(column, justify="left" if column == "what happened" else "right")
    rows: list[tuple[str, Sequence[Connection]]] = [(fate, one) for fate, one in by_fate(connections).items() if one]
    for fate, found in [*rows, ("all", connections)]:
        counts = [one.counts for one in found]
        drawn.add_row(
            fate,
            str(len(found)),
            *(str(sum(getattr(one, field) for one in counts)) for field in ("calls", "limited", "failed", "refreshed")),
            str(sum(one.is_live for one in found)),
            end_section=fate != "all" and fate == rows[-1][0],
        )
    return drawn


def check_all(connections: Sequence[Connection], refused: Sequence[str], counted: Mapping[str, Counts]) -> None:
    """Compare every connection with what the provider counted. Raises `DemoFailedError`."""
    found = by_fate(connections)
    refusals = {one.name for one in found[Fate.REFUSED]}
    check("every connection's calls are explained", not found[Fate.NONE])
    check("exactly those are refused whose user revoked the access", refusals == {*refused})
    check("the fleet says so", all(one.state == "refused" for one in found[Fate.REFUSED]))
    check("all others hold their live token", all(one.is_live for one in connections if one.name not in refusals))
    check("the provider saw no other tokens", {*counted} == {one.name for one in connections})
    check("no spent refresh token was sent", not any(one.counts.reused for one in connections))

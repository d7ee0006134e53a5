"""Writes the figures to the screen, to docs/benchmarks.md and to docs/fleet.md."""

import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import cost, fleet_cost
from bench.figures import Line, grid
from bench.prices import US_EAST_1
from bench.simulation import table as simulation
from bench.simulation.scenarios import Outcome, Scenario
from tests.support.checkout import ROOT

DOCUMENT = ROOT / "docs" / "benchmarks.md"
FLEET_DOCUMENT = ROOT / "docs" / "fleet.md"
EXAMPLE = 10_000
"""Connections of the bill in docs/fleet.md."""
BEGIN, END = "<!-- begin: written by make bench -->", "<!-- end: written by make bench -->"
READS_A_DAY = 100_000
_COLUMNS = ("what", "ours", "peer", "theirs", "ratio", "goal", "met")


def show(lines: Sequence[Line], console: Console) -> None:
    """Print the table."""
    table = Table(title="refresh-token and its peers: medians (smallest in brackets)")
    for column in _COLUMNS:
        table.add_column(column, overflow="fold")
    for line in lines:
        style = "" if line.met is None else "green" if line.met else "bold red"
        table.add_row(*_cells(line), style=style)
    console.print(table)


def write(lines: Sequence[Line], document: Path = DOCUMENT) -> None:
    """Replace the figures in docs/benchmarks.md."""
    _replace(document, _markdown(lines))


def write_fleet(found: Sequence[tuple[Scenario, Outcome]], document: Path = FLEET_DOCUMENT) -> None:
    """Replace the costs and the simulation in docs/fleet.md."""
    simulated = grid(simulation.COLUMNS, simulation.rows(found))
    example = fleet_cost.Fleet(connections=EXAMPLE)
    text = (
        f"A month on `prod` in USD, beside the stack of one secret: list prices of {US_EAST_1.region}, "
        f"{US_EAST_1.as_of}.\n\n{fleet_cost.sizes()}\n\n"
        f"The bill of {EXAMPLE:,} connections with tokens of 90 days:\n\n{cost.markdown(fleet_cost.bill(example))}\n\n"
        f"The simulation:\n\n{simulated}\n"
    )
    _replace(document, text)


def _replace(document: Path, written: str) -> None:
    """Replace the text between the marks, and leave the rest as it is."""
    text = document.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, marker, tail = rest.partition(END)
    if not marker:
        raise ValueError(f"{document} has lost its marks {BEGIN} and {END}. Restore them, then run this again.")
    document.write_text(f"{head}{BEGIN}\n\n{written}\n{END}{tail}", encoding="utf-8")


def _markdown(lines: Sequence[Line]) -> str:
    table = grid(_COLUMNS, map(_cells, lines))
    return (
        f"{_circumstances()}\n\n{table}\n\n"
        "The monthly cost of one pair on `prod`. The issuers `figma` and `oauth2` need one more secret "
        f"({US_EAST_1.secret:.2f}).\n\n{cost.markdown(cost.pair())}\n\n"
        f"The additional cost of consumers that ask {READS_A_DAY:,} times a day:\n\n"
        f"{cost.markdown(cost.reads(READS_A_DAY))}\n"
    )


def _circumstances() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ("botocore", "boto3", "awscli", "aws-lambda-powertools", "aws-cdk-lib")
    return (
        f"`make bench` on {datetime.now(UTC):%d %B %Y}. {_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}; "
        f"{', '.join(f'{name} {version(name)}' for name in packages)}."
    )


def _processor() -> str:
    try:
        described = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.partition(":")[2].strip() for line in described.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _cells(line: Line) -> tuple[str, ...]:
    ratio = "" if line.ratio is None else f"{line.ratio:.2f}"
    met = {None: "", True: "yes", False: "no"}[line.met]
    return (line.what, line.ours, line.peer, line.theirs, ratio, line.goal, met)


def progress(what: str) -> None:
    """Print what is being measured."""
    sys.stderr.write(f"Measuring {what} ...\n")

"""`python -m bench.simulation`: simulates every scenario, or those whose names contain a word, and prints a table."""

import argparse
from typing import Final

from rich.console import Console
from rich.table import Table

from bench.simulation.scenarios import SCENARIOS
from bench.simulation.table import COLUMNS, rows, simulate

WIDTH: Final = 180
"""Columns of the table where no terminal says how many there are."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.simulation", description=__doc__)
    parser.add_argument("word", nargs="?", default="", help="simulate only scenarios whose name contains this")
    parser.add_argument("--grain", type=int, help="real connections for each simulated one (default: by scenario)")
    options = parser.parse_args()
    table = Table(title="A fleet in the simulation")
    for column in COLUMNS:
        table.add_column(column, overflow="fold")
    for cells in rows(simulate([one for one in SCENARIOS if options.word in one.name], grain=options.grain)):
        table.add_row(*cells)
    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    console.print(table)


if __name__ == "__main__":
    main()

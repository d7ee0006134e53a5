"""Showing what a command has done to each connection."""

from collections.abc import Iterable
from typing import Any, Final

import click

from tokenctl.aws_style.output import Output
from tokenctl.connections.operations import Outcome
from tokenctl.errors import ServiceError

SAMPLE: Final[list[dict[str, Any]]] = [
    {"connection": "acme/u1", "outcome": "unchanged", "state": "active", "detail": "it is active"}
]
"""The answer of a command, to test a query with."""


def show_outcomes(command: str, outcomes: Iterable[Outcome], output: Output) -> int:
    """Print the outcome of each connection as it comes, or all in the chosen format; return the exit code."""
    done = []
    for outcome in outcomes:
        done.append(outcome)
        if not output.is_structured:
            why = f": {outcome.detail}" if outcome.detail else ""
            click.echo(f"{outcome.connection}  {outcome.outcome}{why}", err=outcome.failed)
    if output.is_structured:
        output.print(command, [outcome.to_document() for outcome in done])
    elif len(done) > 1:
        counts = {
            word: sum(outcome.outcome == word for outcome in done) for word in dict.fromkeys(o.outcome for o in done)
        }
        click.echo(", ".join(f"{count} {word}" for word, count in counts.items()))
    return ServiceError.exit_code if any(outcome.failed for outcome in done) else 0


def of(names: list[str]) -> str:
    """Return the connections for a question."""
    return names[0] if len(names) == 1 else f"{len(names)} connections, {names[0]} among them,"

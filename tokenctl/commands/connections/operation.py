"""The commands that do the same to each of many connections: what they ask, and what they print."""

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import click

from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import fleet_target_options
from tokenctl.connections.choice import Choice
from tokenctl.connections.choice_options import Command, choice_options
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.operations import Operation, Outcome, perform
from tokenctl.connections.state_changes import StateChangeEvents
from tokenctl.errors import ServiceError
from tokenctl.stack.target import Target
from tokenctl.terminal.confirm import confirm

SAMPLE: Final[list[dict[str, Any]]] = [
    {"connection": "acme/u1", "outcome": "unchanged", "state": "active", "detail": "it is active"}
]
"""The answer of a command, to test a query with."""


@dataclass(frozen=True, kw_only=True)
class OperationCommand:
    """Makes a command of a function that returns what to do in a fleet to each connection.

    The function has the command's name and help, and receives the fleet, where to tell of changes of state, and the
    options of its own.
    """

    asks: str
    """The question, with `{these}` connections of `{stack}`."""

    examples: str
    always_asks: bool = True
    """Whether it asks for named connections as well, not only for those that filters choose."""

    choice: Callable[[Command], Command] = choice_options
    """Adds the words that choose connections."""

    def __call__(self, operation: Callable[..., Operation]) -> click.Command:
        """Return the command."""
        title = f"connections {operation.__name__}"

        @functools.wraps(operation)
        def command(*, choice: Choice, target: Target, yes: bool, output: Output, **own: Any) -> int:  # noqa: ANN401 - its own options
            output.check(title, SAMPLE)
            fleet = Fleet(target)
            names = choice.read(fleet)
            question = self.asks.format(these=_some(names), stack=target.stack_name)
            confirm(question, yes=yes or not (self.always_asks or choice.filters.given))
            events = StateChangeEvents(fleet)
            try:
                return _show(title, perform(operation(fleet, events, **own), names), output)
            finally:
                events.send()

        yes = click.option("--yes", is_flag=True, help="Do not ask.")
        options = self.choice(yes(fleet_target_options(output_options(command))))
        return click.command(cls=AwsCommand, epilog=self.examples)(options)


def _show(title: str, outcomes: Iterable[Outcome], output: Output) -> int:
    """Print the outcome of each connection as it comes, or all in the chosen format; return the exit code."""
    done = []
    for outcome in outcomes:
        done.append(outcome)
        if not output.is_structured:
            why = f": {outcome.detail}" if outcome.detail else ""
            click.echo(f"{outcome.connection}  {outcome.outcome}{why}", err=outcome.failed)
    if output.is_structured:
        output.print(title, [outcome.to_document() for outcome in done])
    elif len(done) > 1:
        counts = {
            word: sum(outcome.outcome == word for outcome in done) for word in dict.fromkeys(o.outcome for o in done)
        }
        click.echo(", ".join(f"{count} {word}" for word, count in counts.items()))
    return ServiceError.exit_code if any(outcome.failed for outcome in done) else 0


def _some(names: Sequence[str]) -> str:
    """Return the connections for a question."""
    return names[0] if len(names) == 1 else f"{len(names):,} connections (such as {names[0]})"

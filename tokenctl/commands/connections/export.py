"""`tokenctl connections export`: writes connections with their tokens as JSON Lines."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import click

from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import fleet_target_options
from tokenctl.connections.choice import Choice
from tokenctl.connections.choice_options import choice_options
from tokenctl.connections.exporting import export as export_each
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.migrating import Migration
from tokenctl.errors import UsageError
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.target import Target
from tokenctl.terminal.confirm import confirm

SAMPLE: Final = {"exported": 1, "skipped": ["acme/u1"]}

EXAMPLES: Final = """\b
Examples:
  tokenctl connections export --stage prod --to grants.jsonl
  tokenctl connections export acme/u1 acme/u2 --stage prod | your-vault
  tokenctl connections export acme --to-secret-of-stack --stage prod
"""


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@partial(choice_options, or_all=True)
@click.option(
    "--to",
    "goal",
    metavar="FILE",
    type=click.Path(),
    help="A new file, which only you can read; - is standard output, even if that is a terminal.",
)
@click.option(
    "--to-secret-of-stack",
    "moves",
    is_flag=True,
    help="Make the connection the stack's own pair, and delete it from the fleet.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@fleet_target_options
@output_options
def export(  # noqa: PLR0913 - one for each option
    *,
    choice: Choice,
    target: Target,
    goal: str | None,
    moves: bool,
    yes: bool,
    output: Output,
) -> None:
    """Write connections, with their refresh tokens in clear text, as the JSON Lines that `import` takes.

    The fleet goes on refreshing them: pause connections before you move them elsewhere, because a refresh may spend the
    exported token. Those without tokens, such as revoked ones, are skipped.
    """
    output.check("connections export", SAMPLE)
    if moves:
        _move(Fleet(target), choice, output, yes=yes, alone=goal is None)
        return
    to_file = goal not in {None, "-"}
    if output.is_structured and not to_file:
        raise UsageError("--output and --query are for the summary: give --to FILE as well.")
    if goal is None and sys.stdout.isatty():
        raise UsageError("The tokens would be on the screen. Give --to FILE, or --to - if you mean that.")
    fleet = Fleet(target)
    exported, skipped = 0, []
    with _new_file(str(goal)) if to_file else _standard_output() as write:
        for name, line in export_each(fleet, choice.walk(fleet)):
            if line is None:
                skipped.append(name)
            else:
                write(f"{line}\n")
                exported += 1
    if skipped:
        click.echo(f"Skipped {len(skipped):,} without tokens, such as {skipped[0]}.", err=True)
    if output.is_structured:
        output.print("connections export", {"exported": exported, "skipped": skipped})
    elif to_file:
        click.echo(f"Exported {exported:,} connection{'s' * (exported != 1)}.")
    if to_file:
        click.echo(f"{goal} holds refresh tokens in clear text. Delete it when you no longer need it.", err=True)


def _move(fleet: Fleet, choice: Choice, output: Output, *, yes: bool, alone: bool) -> None:
    """Make a connection the stack's own pair."""
    if len(choice.names) != 1 or not alone:
        raise UsageError("With --to-secret-of-stack, name one connection, and give no filters and no --to.")
    (name,) = choice.names
    confirm(
        f"This makes {name} the token pair of {fleet.target.stack_name}, and deletes the connection: consumers that "
        "still ask for it get ConnectionNotFoundException. Go on if all of them ask the stack's own function.",
        yes=yes,
    )
    done = Migration(DeployedStack(fleet.target), fleet).out_of_fleet(name)
    if output.is_structured:
        output.print("connections export", {"exported": 1, "skipped": []})
    else:
        click.echo(f"{name} is the pair of {fleet.target.stack_name}: version {done.version_id} of the secret.")


@contextmanager
def _new_file(path: str) -> Iterator[Callable[[str], object]]:
    """Yield what writes to a new file that only its owner can read. If that fails or is interrupted, there is none."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        fault = f"The file that --to names cannot be created ({error.strerror}). Nothing was exported."
        raise UsageError(fault) from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            yield file.write
    except BaseException:
        Path(path).unlink(missing_ok=True)
        raise


@contextmanager
def _standard_output() -> Iterator[Callable[[str], object]]:
    yield lambda text: click.echo(text, nl=False)

"""`tokenctl connections import`: stores the token pairs of many connections."""

from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from refresh_token.core.windows import MAX_LIFETIME
from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import fleet_target_options
from tokenctl.connections.entries import Entries
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.importing import Fate, Import, Input, read_input
from tokenctl.connections.issuers import Issuers
from tokenctl.connections.json_lines import Document, Fault, read_lines
from tokenctl.connections.migrating import Migration
from tokenctl.connections.name import checked_name
from tokenctl.connections.secrets import read_secrets
from tokenctl.errors import UsageError, quoted_name
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.target import Target
from tokenctl.terminal.progress import progress
from tokenctl.terminal.standard_input import binary_input

SAMPLE: Final = {**dict.fromkeys(("imported", "replaced", "unchanged", "kept"), 1), "refused": []}

_OTHERS: Final = 2
"""How many of the three sources are not given."""

EXAMPLES: Final = """\b
Examples:
  tokenctl connections import --from grants.jsonl --stage prod --dry-run
  tokenctl connections import --from grants.jsonl --stage prod
  your-vault | tokenctl connections import --from - --stage prod --provider linear
  tokenctl connections import --secrets-prefix grants/ --stage prod
  tokenctl connections import --from-secret-of-stack acme --stage prod

\b
Each line is {"connection", "refreshToken"}, with "provider", "accessToken", "expiresAt",
"refreshExpiresAt", "params", "values" and "policy" where they are known. The spellings
of `tokenctl seed` work as well (access_token, refresh_token, expires_in).
"""


@click.command("import", cls=AwsCommand, epilog=EXAMPLES)
@click.option("--from", "source", metavar="FILE", type=click.Path(), help="JSON Lines; - is standard input.")
@click.option("--secrets-prefix", metavar="PREFIX", help="Every secret whose name is this and a connection's name.")
@click.option(
    "--from-secret-of-stack",
    "moved",
    metavar="CONNECTION",
    help="Move the stack's own pair: it becomes this connection, and its consumers notice nothing.",
)
@click.option("--provider", metavar="NAME", help="The provider of those that name none.")
@click.option("--replace", is_flag=True, help="Overwrite other pairs, even later ones, which then are lost.")
@click.option("--skip-refused", is_flag=True, help="Import the others if some are refused.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@fleet_target_options
@output_options
def import_(  # noqa: PLR0913 - one for each option
    *,
    target: Target,
    source: str | None,
    secrets_prefix: str | None,
    moved: str | None,
    provider: str | None,
    replace: bool,
    skip_refused: bool,
    dry_run: bool,
    output: Output,
) -> None:
    """Store the token pairs of many connections, from JSON Lines or from one secret for each.

    Checks all of them first: if one is refused, nothing is imported. A connection that has another pair already keeps
    it, because that is mostly a later one. Repeat the command to go on after an interruption. Prints no token.
    """
    output.check("connections import", SAMPLE)
    if [source, secrets_prefix, moved].count(None) != _OTHERS:
        raise UsageError("Give one of --from, --secrets-prefix and --from-secret-of-stack.")
    fleet = Fleet(target)
    if moved is not None:
        _move(fleet, moved, output)
        return
    documents = _lines(str(source)) if secrets_prefix is None else _secrets(fleet, secrets_prefix)
    read = read_input(documents, Entries(Issuers(fleet.settings.providers), provider=provider))
    if not (read.entries or read.refused):
        raise UsageError("The input holds no connections, so nothing was imported.")
    _warn(read)
    fates = Counter[Fate]()
    if skip_refused or not read.refused:
        work = Import(fleet, read.entries, replace=replace)
        fates = work.planned if dry_run else _perform(work)
    refused = [{"place": place, "reason": reason} for place, reason in read.refused]
    if output.is_structured:
        output.print("connections import", {**{fate.value: fates[fate] for fate in Fate}, "refused": refused})
    if refused and not skip_refused:
        raise UsageError(
            f"{len(refused):,} of {len(refused) + len(read.entries):,} connections are refused, so nothing was "
            "imported. Correct them, or add --skip-refused to import the others."
        )
    if not output.is_structured:
        click.echo(f"{'Would be: ' if dry_run else ''}{', '.join(f'{fates[fate]:,} {fate}' for fate in Fate)}.")
    if fates[Fate.KEPT]:
        click.echo(
            "Those that are kept have another pair, mostly a later one, or other settings. --replace overwrites them.",
            err=True,
        )
    if source not in {None, "-"} and not dry_run:
        click.echo(f"{source} still holds the tokens: delete it when you no longer need it.", err=True)


def _move(fleet: Fleet, name: str, output: Output) -> None:
    """Move the stack's own pair."""
    done = Migration(DeployedStack(fleet.target), fleet).into_fleet(checked_name(name))
    if output.is_structured:
        fates = {**dict.fromkeys((fate.value for fate in Fate), 0), Fate.IMPORTED.value: 1}
        output.print("connections import", {**fates, "refused": []})
    else:
        click.echo(f"The pair of {fleet.target.stack_name} is the connection {name}: version {done.version_id}.")
        click.echo("Its consumers get tokens as before. Let each of them ask for the connection, one after the other.")
    if done.left_out:
        keys = ", ".join(map(quoted_name, done.left_out))
        click.echo(f"The secret keeps these keys, which a connection does not: {keys}.", err=True)


def _perform(work: Import) -> Counter[Fate]:
    """Import; if that stops early, say how far it has come."""
    try:
        with progress("Importing", len(work.writes)) as done:
            work.perform(done)
    except BaseException:
        click.echo(
            f"Stopped: {work.stored:,} of {len(work.writes):,} connections are stored. Repeat the command to go on.",
            err=True,
        )
        raise
    return Counter(work.fates.values())


def _warn(read: Input) -> None:
    for place, reason in read.refused:
        click.echo(f"{place}: {reason}.", err=True)
    if read.left_out:
        keys = ", ".join(map(quoted_name, read.left_out))
        click.echo(f"A connection does not keep these keys, which are left out: {keys}.", err=True)
    if read.capped:
        click.echo(
            f"{read.capped:,} expiries are further away than any token lives; they count as {MAX_LIFETIME.days} days "
            "from now.",
            err=True,
        )


def _lines(source: str) -> Iterator[tuple[str, Document | Fault, datetime]]:
    """Yield the lines of a file, or of standard input, by their numbers."""
    now = datetime.now(UTC)
    try:
        with nullcontext(binary_input()) if source == "-" else Path(source).open("rb") as stream:
            for number, document in read_lines(stream):
                yield f"line {number}", document, now
    except OSError as error:
        # The file's name is not shown: it may be a misplaced token.
        fault = f"The file that --from names cannot be read ({error.strerror}). Name a file, or - for standard input."
    else:
        return
    raise UsageError(fault)


def _secrets(fleet: Fleet, prefix: str) -> Iterator[tuple[str, Document | Fault, datetime]]:
    for name, document, created in read_secrets(fleet, prefix):
        yield f"secret {name}", document, created

"""`tokenctl connections import`: stores the token pairs of many connections."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click

from refresh_token.core.windows import MAX_LIFETIME
from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import fleet_target_options
from tokenctl.connections.entries import Entries
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.import_check import Checked, check
from tokenctl.connections.importing import Fate, Import
from tokenctl.connections.issuers import Issuers
from tokenctl.connections.migrating import Migration
from tokenctl.connections.name import checked_name
from tokenctl.connections.secrets import Secrets
from tokenctl.connections.sources import Source, open_lines
from tokenctl.errors import UsageError, quoted_name
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.target import Target
from tokenctl.terminal.progress import progress

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
    maker = Entries(Issuers(fleet.settings.providers), provider=provider)
    with _source(fleet, source, secrets_prefix) as given:
        with progress("Checking", given.length, counts=secrets_prefix is not None) as done:
            checked = check(given, maker, done)
        _warn(checked)
        work = Import(fleet, checked, replace=replace)
        if skip_refused or not checked.refused:
            _perform(work, checked.count, dry_run=dry_run)
    refused = [{"place": place, "reason": reason} for place, reason in checked.refusals]
    if output.is_structured:
        output.print("connections import", {**{fate.value: work.fates[fate] for fate in Fate}, "refused": refused})
    if refused and not skip_refused:
        raise UsageError(_none_imported(len(refused), checked.count))
    if not output.is_structured:
        counts = [f"{work.fates[fate]:,} {fate}" for fate in Fate] + [f"{len(refused):,} refused"] * bool(refused)
        click.echo(f"{'Would be: ' if dry_run else ''}{', '.join(counts)}.")
    if work.fates[Fate.KEPT]:
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


@contextmanager
def _source(fleet: Fleet, path: str | None, prefix: str | None) -> Iterator[Source]:
    if prefix is not None:
        yield Secrets(fleet, prefix)
    else:
        with open_lines(str(path)) as lines:
            yield lines


def _warn(checked: Checked) -> None:
    if not checked.count and not checked.refused:
        raise UsageError("The input holds no connections, so nothing was imported.")
    for place, reason in checked.refusals:
        click.echo(f"{place}: {reason}.", err=True)
    if checked.left_out:
        keys = ", ".join(map(quoted_name, sorted(checked.left_out)))
        click.echo(f"A connection does not keep these keys, which are left out: {keys}.", err=True)
    if checked.capped:
        click.echo(
            f"{checked.capped:,} expiries are further away than any token lives; they count as {MAX_LIFETIME.days} "
            "days from now.",
            err=True,
        )


def _perform(work: Import, count: int, *, dry_run: bool) -> None:
    """Import, or say what would happen; if that stops early, say how far it has come."""
    if dry_run:
        with progress("Comparing", count) as done:
            work.plan(lambda: done(1))
        return
    try:
        with progress("Importing", count) as done:
            work.perform(lambda: done(1))
    except BaseException:
        click.echo(
            f"Stopped: {work.fates.total():,} of {count:,} connections are stored. Repeat the command to go on.",
            err=True,
        )
        raise


def _none_imported(refused: int, others: int) -> str:
    """Return what to do about an input of which some is refused."""
    all_of_them = f"{refused:,} of {refused + others:,} connections are refused, so nothing was imported. "
    if not others:
        return f"{all_of_them}Correct them; the lines above say what is wrong with each."
    return (
        f"{all_of_them}Correct those that the lines above name, or add --skip-refused to import the other {others:,}."
    )

"""`tokenctl connections seed`: stores an existing token pair for one connection."""

from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

import click

from refresh_token.core.windows import iso_utc
from refresh_token.fleet.due import POLICIES
from refresh_token.fleet.record import Record
from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import fleet_target_options
from tokenctl.connections.entries import Entries
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.issuers import Issuers
from tokenctl.connections.json_lines import Document, Fault, parse_document
from tokenctl.connections.name import name_argument
from tokenctl.connections.state_changes import StateChangeEvents
from tokenctl.connections.storing import Storing
from tokenctl.connections.table import Table
from tokenctl.errors import UsageError, quoted_name
from tokenctl.stack.target import Target
from tokenctl.terminal.confirm import confirm
from tokenctl.terminal.pair_input import prompt_pair, without_line_breaks
from tokenctl.terminal.secret_input import read_text, should_prompt

EXAMPLES: Final = """\b
Examples:
  tokenctl connections seed acme/u1 --stage prod --from pair.json
  your-vault | tokenctl connections seed acme/u1 --stage prod --provider linear --yes
  tokenctl connections seed acme/u1 --stage prod   # prompts; what you type is not shown
"""


SAMPLE: Final = {"connection": "acme/u1", "provider": "acme", "versionId": "version", "expiresAt": None, "dueAt": ""}


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@name_argument
@click.option(
    "--from", "source", metavar="FILE", type=click.Path(), help="JSON file with the pair; - is standard input."
)
@click.option("--provider", metavar="NAME", help="The provider, in a fleet of several.")
@click.option("--policy", type=click.Choice(POLICIES), help="When its token is refreshed; the default is the fleet's.")
@click.option("--yes", is_flag=True, help="Replace the stored pair without asking.")
@fleet_target_options
@output_options
def seed(  # noqa: PLR0913 - one for each option
    *,
    name: str,
    target: Target,
    source: str | None,
    provider: str | None,
    policy: str | None,
    yes: bool,
    output: Output,
) -> None:
    """Store an existing token pair for a connection, from a file, standard input or hidden prompts.

    Makes the connection if there is none of that name; otherwise asks before it replaces the pair, keeps provider,
    parameters and policy unless the input says others, and makes the connection active. Prints no token.
    """
    output.check("connections seed", SAMPLE)
    fleet, now = Fleet(target), datetime.now(UTC)
    stored = Table(fleet).find(name)
    entries = Entries(Issuers(fleet.settings.providers), provider=provider)
    more = {key: value for key, value in (("provider", provider), ("policy", policy)) if value is not None}
    given = {**_read(source), **more}
    document = {"connection": name, **_kept(stored, given), **given}
    try:
        entry = entries.make(document, created=now, now=now)
    except Fault as fault:
        raise UsageError(f"The input is no token pair of this connection: {fault}. Nothing was stored.") from None
    if entry.name != name:
        raise UsageError("The input says that it is of another connection. Nothing was stored.")
    if stored is not None:
        confirm(f"{name} is {stored.state}. Its token pair is replaced, and cannot be restored.", yes=yes)
    due_at = Storing(fleet).store(entry, version=(version := str(uuid4())), over=stored, now=now)
    events = StateChangeEvents(fleet)
    events.connected(stored, entry, now)
    events.send()
    expires_at = entry.pair.expires_at and iso_utc(entry.pair.expires_at)
    answer = {
        "connection": name,
        "provider": entry.provider.name,
        "versionId": version,
        "expiresAt": expires_at,
        "dueAt": iso_utc(datetime.fromtimestamp(due_at, UTC)),
    }
    if output.is_structured:
        output.print("connections seed", answer)
    else:
        click.echo(f"Stored a token pair for {name}: version {version}, due {answer['dueAt']}.")
    if entry.left_out:
        keys = ", ".join(map(quoted_name, entry.left_out))
        click.echo(f"A connection does not keep these keys, which are left out: {keys}.", err=True)
    if source not in {None, "-"}:
        click.echo(f"{source} still holds the tokens: delete it.", err=True)


def _kept(stored: Record | None, given: Document) -> Document:
    """Return the settings that stay, of the connection that is there. What somebody has broken does not stay."""
    if stored is None or not stored.provider or given.get("provider", stored.provider) != stored.provider:
        return {}
    policy = {"policy": stored.policy} if stored.policy in POLICIES else {}
    return {"provider": stored.provider, "params": stored.params, **policy}


def _read(source: str | None) -> Document:
    if should_prompt(source):
        return prompt_pair()
    try:
        return without_line_breaks(parse_document(read_text(source, "a token pair")))
    except Fault as fault:
        raise UsageError(f"The input is no token pair: {fault}. Nothing was stored.") from None

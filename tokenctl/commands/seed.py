"""`tokenctl seed`: stores an existing token pair."""

import json
from datetime import UTC, datetime
from typing import Any, Final

import click

from refresh_token.core.windows import MAX_LIFETIME, Window, iso_utc
from refresh_token.settings import Settings
from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import target_options
from tokenctl.errors import UsageError
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.issuer import deployed_issued_by
from tokenctl.stack.pair_secret import mismatch, store_pair, validate_pair
from tokenctl.stack.secret_versions import read_version
from tokenctl.stack.target import Target
from tokenctl.stack.token_life import SAMPLE_LIFE, life_of, sentence
from tokenctl.terminal.confirm_replacing_pair import confirm_replacing_pair
from tokenctl.terminal.pair_input import prompt_pair, without_line_breaks
from tokenctl.terminal.secret_input import read_text, should_prompt

EXAMPLES: Final = """\b
Examples:
  tokenctl seed --stage prod --from pair.json
  your-vault | tokenctl seed --stage prod --yes
  tokenctl seed --stage prod                   # prompts for each part; what you type is not shown
  tokenctl seed --stage prod --from-version AWSPREVIOUS

\b
Input: {"accessToken", "refreshToken", "clientId", "expiresAt"}, the answer of
ExchangeCodeForToken, or Figma's own (access_token, refresh_token, expires_in).
The refresh token alone is enough: the first request refreshes it.
"""


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@click.option(
    "--from", "source", metavar="FILE", type=click.Path(), help="JSON file with the pair; - is standard input."
)
@click.option(
    "--from-version", "named", metavar="ID", help="Store the pair of an earlier version again; or a label: AWSPREVIOUS."
)
@click.option("--yes", is_flag=True, help="Replace the stored pair without asking.")
@target_options
@output_options
def seed(*, target: Target, source: str | None, named: str | None, yes: bool, output: Output) -> None:
    """Store an existing token pair, from a file, standard input, hidden prompts or an earlier version of the secret.

    Asks before it replaces a pair. Prints what it stored, but no token.
    """
    output.check("seed", {"stack": target.stack_name, "versionId": "version", **SAMPLE_LIFE})
    deployed = DeployedStack(target)
    static = deployed.settings.static
    if named is not None:
        if source is not None:
            raise UsageError("Give only one of --from and --from-version.")
        document = _of_version(target, named, deployed.settings)
    elif should_prompt(source):
        document = prompt_pair(static=static)
    else:
        document = _parse(read_text(source, "a token pair"), deployed.settings)
    pair = validate_pair(json.dumps(document), deployed.settings)
    issued_by = deployed_issued_by(deployed)
    if problem := mismatch(deployed, pair):
        raise UsageError(f"The input cannot be used here: {problem}. Nothing was stored.")
    confirm_replacing_pair(deployed, issued_by, yes=yes)
    version_id = store_pair(deployed, document, issued_by)
    settings = deployed.settings
    life = life_of(pair, now=datetime.now(UTC), settings=settings.windows, spends=settings.spends)
    if output.is_structured:
        output.print("seed", {"stack": target.stack_name, "versionId": version_id, **life})
    else:
        click.echo(f"Stored a token pair for {target.stack_name}: version {version_id}, {sentence(life)}.")
    if pair.capped:
        click.echo(
            f"The expiry is further away than any token lives; it counts as {MAX_LIFETIME.days} days from now.",
            err=True,
        )
    if life["window"] == Window.EXPIRED and not static:
        click.echo(
            "The access token has already expired. The next request or run of the schedule refreshes it, if the "
            "refresh token works. `tokenctl refresh` refreshes it now.",
            err=True,
        )
    if source not in {None, "-"}:
        click.echo(f"{source} still holds the tokens: delete it.", err=True)


def _of_version(target: Target, named: str, settings: Settings) -> dict[str, Any]:
    text, created = read_version(target, named)
    document = _parse(text, settings)
    counted = document.get("expiresAt") is None  # from when that version was stored, not from now
    return {"refreshedAt": iso_utc(created), **document} if counted else document


def _parse(text: str, settings: Settings) -> dict[str, Any]:
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        validate_pair(text, settings)  # says what is wrong with it
        return {}
    return without_line_breaks(document)

"""`tokenctl seed`: stores a token pair that exists already."""

import json
from datetime import UTC, datetime
from typing import Any, Final

import click

from refresh_token.windows import MAX_LIFETIME, Window, WindowSettings
from tokenctl.aws_style.options import target_options
from tokenctl.aws_style.output import Output, output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.errors import TokenctlError
from tokenctl.stack.deployed import Deployed
from tokenctl.stack.secret import check_pair, store_pair
from tokenctl.stack.target import Target
from tokenctl.stack.token_life import DEFAULT_WINDOWS, life_of, sentence
from tokenctl.terminal.confirm_replace import ask_before_replacing
from tokenctl.terminal.secret_input import given_text, hidden, is_typed

EXAMPLES: Final = """\b
Examples:
  tokenctl seed --stage prod --from pair.json
  vault-of-yours | tokenctl seed --stage prod --yes
  tokenctl seed --stage prod                   (asks for each part; nothing shows what is typed)

\b
Taken: {"accessToken", "refreshToken", "clientId", "expiresAt"}, the answer of
ExchangeCodeForToken, and Figma's own (access_token, refresh_token, expires_in).
"""


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@click.option(
    "--from", "source", metavar="FILE", type=click.Path(), help="File with the pair as JSON; - is standard input."
)
@click.option("--yes", is_flag=True, help="Replace the stored pair without asking.")
@target_options
@output_options
def seed(*, target: Target, source: str | None, yes: bool, output: Output) -> None:
    """Store an existing token pair, from a file, standard input or hidden prompts.

    Asks before it replaces a pair. Prints what it stored, without tokens.
    """
    document = _document(source)
    pair = check_pair(json.dumps(document))
    ask_before_replacing(target, yes=yes)
    version_id = store_pair(target, document)
    life = life_of(pair, now=datetime.now(UTC), settings=_windows(target))
    if output.asked_for:
        output.print("seed", {"stack": target.stack_name, "versionId": version_id, **life})
    else:
        click.echo(f"Stored a token pair for {target.stack_name}: version {version_id}, {sentence(life)}.")
    if pair.capped:
        click.echo(f"No token lives as long as it says; {MAX_LIFETIME.days} days are believed.", err=True)
    if life["window"] == Window.EXPIRED:
        click.echo(
            "The access token has expired already. The next question or tick refreshes it, if the refresh token works; "
            "`tokenctl refresh` does at once.",
            err=True,
        )
    if source not in {None, "-"}:
        click.echo(f"{source} still holds the tokens: delete it.", err=True)


def _windows(target: Target) -> WindowSettings:
    try:
        return Deployed(target).windows
    except TokenctlError:
        return DEFAULT_WINDOWS  # the pair is stored; who may do that need not be allowed to look at the function


def _document(source: str | None) -> dict[str, Any]:
    if is_typed(source):
        return _prompted()
    text = given_text(source, "a token pair")
    check_pair(text)
    document: dict[str, Any] = json.loads(text)
    return document


def _prompted() -> dict[str, Any]:
    """Ask for each part; what is typed is not shown."""
    document: dict[str, Any] = {"accessToken": hidden("Access token"), "refreshToken": hidden("Refresh token")}
    if client_id := hidden("Client id, if the app needs one", default="", show_default=False):
        document["clientId"] = client_id
    label = "Expires: seconds from now, or date and time in ISO 8601; empty if unknown"
    expires = str(click.prompt(label, default="", show_default=False, err=True)).strip()
    if expires:
        document |= {"expiresIn": int(expires)} if expires.isdecimal() else {"expiresAt": expires}
    return document

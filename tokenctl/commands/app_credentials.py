"""`tokenctl app-credentials`: stores the credentials of the team's own app."""

import json
from typing import Final

import click

from tokenctl.aws_style.options import target_options
from tokenctl.aws_style.output import Output, output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.stack.app_secret import checked_document, holds_something, store_credentials
from tokenctl.stack.issuer import app_secret_arn
from tokenctl.stack.target import Target
from tokenctl.terminal.confirm import ask
from tokenctl.terminal.secret_input import given_text, hidden, is_typed

EXAMPLES: Final = """\b
Examples:
  tokenctl app-credentials --stage prod                  (asks; nothing shows what is typed)
  tokenctl app-credentials --stage prod --from app.json
  vault-of-yours | tokenctl app-credentials --stage prod --yes

\b
Taken: {"clientId", "clientSecret"}.
"""


@click.command("app-credentials", cls=AwsCommand, epilog=EXAMPLES)
@click.option(
    "--from", "source", metavar="FILE", type=click.Path(), help="File with them as JSON; - is standard input."
)
@click.option("--yes", is_flag=True, help="Replace stored credentials without asking.")
@target_options
@output_options
def app_credentials(*, target: Target, source: str | None, yes: bool, output: Output) -> None:
    """Store the client id and secret of your own app, from a file, standard input or hidden prompts.

    For the issuers figma and oauth2. Asks before it replaces any. The next refresh uses them; nothing is deployed.
    """
    arn = app_secret_arn(target)  # before anything is typed
    document = checked_document(_prompted() if is_typed(source) else given_text(source, "an app's credentials"))
    if not yes and holds_something(target):
        ask(
            f"The stack {target.stack_name} has app credentials already. This replaces them; the refresh token of "
            "another app is refused, so that a person must sign in again.",
            yes=yes,
        )
    version_id = store_credentials(target, document)
    if output.asked_for:
        output.print("app-credentials", {"stack": target.stack_name, "secretArn": arn, "versionId": version_id})
    else:
        click.echo(f"Stored the app's credentials for {target.stack_name}: version {version_id} of {arn}.")
        click.echo(f"If nobody has signed in with this app yet: `tokenctl authorize --stage {target.stage}`.")
    if source not in {None, "-"}:
        click.echo(f"{source} still holds the client secret: delete it.", err=True)


def _prompted() -> str:
    return json.dumps({"clientId": hidden("Client id of the app"), "clientSecret": hidden("Client secret")})

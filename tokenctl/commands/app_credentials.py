"""`tokenctl app-credentials`: stores the credentials of your own app."""

import json
from typing import Final

import click

from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import target_options
from tokenctl.connections.deployed_provider import DeployedProvider, provider_of
from tokenctl.connections.fleet import Fleet
from tokenctl.errors import UsageError
from tokenctl.sign_in.authorization_request import LOOPBACK_HOSTS, callback_uri
from tokenctl.sign_in.options import validate_address
from tokenctl.sign_in.registration import check_registers, register
from tokenctl.stack.app_secret import store_credentials, stored_owner, validated_document
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.issuer import app_keys, app_secret_arn, sign_in_command
from tokenctl.stack.target import Target
from tokenctl.terminal.app_prompts import ask_for
from tokenctl.terminal.confirm import confirm
from tokenctl.terminal.secret_input import read_text, should_prompt

REDIRECT_URI: Final = callback_uri(LOOPBACK_HOSTS[0], 8976)
"""The address that docs/cli.md registers."""

EXAMPLES: Final = """\b
Examples:
  tokenctl app-credentials --stage prod                  # prompts; what you type is not shown
  tokenctl app-credentials --stage prod --from app.json
  your-vault | tokenctl app-credentials --stage prod --yes
  tokenctl app-credentials --stage prod --register       # the provider makes the app
  tokenctl app-credentials --stage prod --provider linear

\b
Input: {"clientId", "clientSecret"}, and the further keys that the provider's profile names.
"""


@click.command("app-credentials", cls=AwsCommand, epilog=EXAMPLES)
@click.option(
    "--from", "source", metavar="FILE", type=click.Path(), help="JSON file with the credentials; - is standard input."
)
@click.option("--register", "registers", is_flag=True, help="Register an app at the provider (RFC 7591), and store it.")
@click.option(
    "--redirect-uri",
    metavar="ADDRESS",
    default=REDIRECT_URI,
    show_default=True,
    help="The address to register, to which sign-ins return.",
)
@click.option("--provider", metavar="NAME", help="Of a fleet: the provider whose app it is.")
@click.option("--yes", is_flag=True, help="Replace stored credentials without asking.")
@target_options
@output_options
def app_credentials(  # noqa: PLR0913 - the options
    *,
    target: Target,
    source: str | None,
    registers: bool,
    redirect_uri: str,
    provider: str | None,
    yes: bool,
    output: Output,
) -> None:
    """Store the credentials of your own app, from a file, standard input, hidden prompts or a registration.

    For every issuer but amplify and static. Asks before it replaces stored credentials. The next refresh uses the new
    ones, without a deployment.
    """
    deployed = DeployedStack(target) if provider is None else provider_of(Fleet(target), provider)
    arn = app_secret_arn(deployed)  # better to fail before the operator types anything
    output.check("app-credentials", {"stack": target.stack_name, "secretArn": arn, "versionId": "version"})
    if registers:
        if source is not None:
            raise UsageError("Give either --from or --register.")
        validate_address(redirect_uri, "The redirect address")
        settings = check_registers(deployed)
        _confirm(deployed, yes=yes)
        text = json.dumps(register(deployed, settings, redirect_uri))
        document = validated_document(text, deployed)
    else:
        text = (
            json.dumps(ask_for(app_keys(deployed), {}))
            if should_prompt(source)
            else read_text(source, "an app's credentials")
        )
        document = validated_document(text, deployed)
        _confirm(deployed, yes=yes)
    version_id = store_credentials(deployed, document)
    if output.is_structured:
        output.print("app-credentials", {"stack": target.stack_name, "secretArn": arn, "versionId": version_id})
    else:
        click.echo(f"Stored the app's credentials for {target.stack_name}: version {version_id} of {arn}.")
        click.echo(_what_next(deployed))
    if source not in {None, "-"}:
        click.echo(f"{source} still holds the client secret: delete it.", err=True)


def _confirm(deployed: DeployedStack, *, yes: bool) -> None:
    if not yes and (owner := stored_owner(deployed)):
        confirm(
            f"The {deployed.target.label} already has app credentials, of {owner}. This replaces them; the issuer will "
            "refuse the refresh token of another app, so that a person must sign in again.",
            yes=yes,
        )


def _what_next(deployed: DeployedStack) -> str:
    if deployed.settings.spends == "nothing":
        return f"The next run of the schedule gets a token with them; `tokenctl refresh {deployed.target.option}`, now."
    if isinstance(deployed, DeployedProvider):
        return f"To connect a user: `tokenctl connections authorize <connection> {deployed.target.option}`."
    return f"If nobody has signed in with this app yet: `{sign_in_command(deployed)}`."

"""`tokenctl authorize`: signs in to the provider in the browser and stores the token pair."""

from functools import partial
from typing import Final

import click

from refresh_token.core.issued_by import IssuedBy
from refresh_token.core.windows import iso_utc
from refresh_token.oauth import catalogue
from refresh_token.oauth.issuers import AMPLIFY, SETTINGS
from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import target_options
from tokenctl.sign_in.command_options import sign_in_options
from tokenctl.sign_in.device_sign_in import plan_device_sign_in, sign_in_on_device
from tokenctl.sign_in.in_browser import Browser, sign_in_in_browser
from tokenctl.sign_in.options import SignInOptions
from tokenctl.sign_in.plan import plan_sign_in
from tokenctl.sign_in.store_grant import Place, StoredSignIn, store_grant
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.issuer import why_doubtful
from tokenctl.stack.target import Target
from tokenctl.stack.token_life import utc_minute
from tokenctl.terminal.confirm_replacing_pair import confirm_replacing_pair

_EXAMPLES: Final = """\b
Examples:
  The redirect address http://127.0.0.1:8976/callback is registered with the app, and the stack has its credentials:
    tokenctl authorize --stage prod --port 8976
  The stack's issuer is amplify, which holds the app's secret:
    tokenctl authorize --stage prod --client-id YOUR_APP --port 8976
  The browser is on another machine. Open the printed address there, and paste here the one at which it ends:
    tokenctl authorize --port 8976 --no-browser
  The provider has a sign-in on another device: type the printed code there.
    tokenctl authorize --stage prod --device
  The app is registered with localhost instead of 127.0.0.1, and needs one more scope:
    tokenctl authorize --port 8976 --redirect-host localhost --scope file_content:read
"""


@click.command("authorize", cls=AwsCommand, epilog=_EXAMPLES)
@click.option(
    "--issuer",
    type=click.Choice((AMPLIFY, *SETTINGS, *catalogue.names())),
    metavar="NAME",
    help="The issuer of the pair: amplify, figma, oauth2 or a profile's name. Default: the stack's issuer.",
)
@sign_in_options
@target_options
@output_options
def authorize(  # noqa: PLR0913 - the options
    *,
    target: Target,
    options: SignInOptions,
    browser: Browser,
    device: bool,
    timeout: int | None,
    output: Output,
) -> None:
    """Sign in at the provider in a browser and store the token pair.

    Opens the consent page, waits on a port of 127.0.0.1 until the browser comes back, exchanges the code, and stores
    the pair in the stack's secret. The redirect address, http://127.0.0.1:PORT/callback, must be registered with the
    app. Shows no token.
    """
    sample = {
        "stack": target.stack_name,
        "secretArn": "arn",
        "versionId": "version",
        "expiresAt": "2030-01-01T00:00:00Z",
        "user": "user",
    }
    output.check("authorize", sample)
    deployed = DeployedStack(target)
    show = partial(_show, target, output)
    if device:
        device_plan = plan_device_sign_in(deployed, options)
        place = _place(deployed, device_plan.issued_by, options)
        show(sign_in_on_device(place, device_plan, timeout=timeout, to_stderr=output.is_structured))
        return
    plan = plan_sign_in(deployed, options)
    place = _place(deployed, plan.issued_by, options)
    sign_in_in_browser(plan, place, browser, show=show, to_stderr=output.is_structured)


def _place(deployed: DeployedStack, issued_by: IssuedBy, options: SignInOptions) -> Place:
    """Return where the pair goes; asks whether it may replace the one that is there."""
    if doubt := why_doubtful(deployed):
        click.echo(doubt, err=True)
    _ = deployed.target.secret_arn  # better to fail now than after the sign-in
    return Place(
        store=partial(store_grant, deployed),
        kept=confirm_replacing_pair(deployed, issued_by, yes=options.yes),
        shown={"Stack": deployed.target.stack_name},
    )


def _show(target: Target, output: Output, stored: StoredSignIn) -> None:
    if output.is_structured:
        expires_at = stored.expires_at and iso_utc(stored.expires_at)
        names = {"stack": target.stack_name, "secretArn": target.secret_arn}
        stored_pair = {"versionId": stored.version_id, "expiresAt": expires_at, "user": stored.user}
        output.print("authorize", {**names, **stored_pair})
        return
    click.secho("Signed in. The token pair is stored.", fg="green", bold=True, color=output.colored)
    for name, value in (
        *((("signed in as", stored.user),) if stored.user else ()),
        ("stack", target.stack_name),
        ("secret", target.secret_arn),
        ("version", stored.version_id),
        ("token lives until", utc_minute(stored.expires_at)),
    ):
        click.echo(f"  {name:<18}{value}")

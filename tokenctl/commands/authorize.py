"""`tokenctl authorize`: signs in to the provider in the browser and stores the token pair."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import click

from refresh_token.core.windows import iso_utc
from refresh_token.oauth import catalogue
from refresh_token.oauth.issuers import AMPLIFY, FIGMA_CONSENT_PAGE, FIGMA_SCOPES, SETTINGS
from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import target_options
from tokenctl.sign_in.authorization_request import LOOPBACK_HOSTS, callback_uri
from tokenctl.sign_in.callback_app import CallbackApp
from tokenctl.sign_in.callback_server import CallbackServer
from tokenctl.sign_in.complete_sign_in import SignIn, complete_sign_in
from tokenctl.sign_in.consent_page import send_to_consent_page
from tokenctl.sign_in.device_sign_in import plan_device_sign_in, sign_in_on_device
from tokenctl.sign_in.meanwhile import on_terminal
from tokenctl.sign_in.options import SignInOptions
from tokenctl.sign_in.plan import plan_sign_in
from tokenctl.sign_in.store_grant import StoredSignIn
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.issuer import why_doubtful
from tokenctl.stack.target import Target
from tokenctl.stack.token_life import utc_minute
from tokenctl.terminal.confirm_replacing_pair import confirm_replacing_pair

TIMEOUT: Final = 300
"""Seconds to wait for the answer of a consent page."""

LINGER_SECONDS: Final = 2.0
"""How long the port still answers after the sign-in, for a reload of the last page or a second tab."""

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
@click.option(
    "--client-id",
    envvar="FIGMA_CLIENT_ID",
    show_envvar=True,
    help="Client id of the app. Required with amplify; with other issuers the stack has it.",
)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    metavar="SCOPE",
    help=f"Scope to request in addition to {' '.join(FIGMA_SCOPES)} (oauth2 and profiles: to the stack's). Repeatable.",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Port of 127.0.0.1 that the browser is sent back to. Default: any free port.",
)
@click.option(
    "--redirect-host",
    type=click.Choice(LOOPBACK_HOSTS),
    default=LOOPBACK_HOSTS[0],
    show_default=True,
    help="Name of this machine in the registered redirect address.",
)
@click.option(
    "--device",
    is_flag=True,
    help="Sign in on another device, by typing a code there, if the provider's profile has an address for that.",
)
@click.option("--no-browser", is_flag=True, help="Print the address, as on a machine without a browser.")
@click.option(
    "--timeout",
    type=click.IntRange(min=1),
    help=f"Seconds to wait for the sign-in. Default: {TIMEOUT}; with --device, as long as the code lives.",
)
@click.option("--yes", is_flag=True, help="Replace a stored pair without asking.")
@click.option(
    "--authorize-url",
    help=f"The consent page. Default: the provider's, such as {FIGMA_CONSENT_PAGE}. Required with oauth2.",
)
@click.option("--token-url", help="Where the code is exchanged, not with amplify. Default: the stack's token endpoint.")
@target_options
@output_options
def authorize(  # noqa: PLR0913 - one for each option
    *,
    target: Target,
    issuer: str | None,
    client_id: str | None,
    scopes: tuple[str, ...],
    port: int | None,
    redirect_host: str,
    device: bool,
    no_browser: bool,
    timeout: int | None,
    yes: bool,
    authorize_url: str | None,
    token_url: str | None,
    output: Output,
) -> None:
    """Sign in at the provider in a browser and store the token pair.

    Opens the consent page, waits on a port of 127.0.0.1 until the browser comes back, exchanges the code, and stores
    the pair in the stack's secret. The redirect address, http://127.0.0.1:PORT/callback, must be registered with the
    app. Shows no token.
    """
    options = SignInOptions(
        issuer=issuer,
        client_id=client_id if client_id is None else client_id.strip(),
        scopes=scopes,
        authorize_url=authorize_url,
        token_url=token_url,
        yes=yes,
    )
    options.validate()
    sample = {
        "stack": target.stack_name,
        "secretArn": "arn",
        "versionId": "version",
        "expiresAt": "2030-01-01T00:00:00Z",
        "user": "user",
    }
    output.check("authorize", sample)
    deployed = DeployedStack(target)
    if device:
        _on_device(deployed, options, timeout, output)
        return
    plan = plan_sign_in(deployed, options)
    if doubt := why_doubtful(deployed):
        click.echo(doubt, err=True)
    _ = target.secret_arn  # better to fail now than after the sign-in
    kept = confirm_replacing_pair(deployed, plan.issued_by, yes=yes)
    with CallbackServer(port or 0) as server:
        request = plan.request(callback_uri(redirect_host, server.port))
        with server.serving(request.read) as app:
            sign_in = SignIn(
                request=request,
                exchange=plan.exchange,
                deployed=deployed,
                issued_by=plan.issued_by,
                who=plan.who,
                kept=kept,
            )
            with _reporting_how_it_ended(app), on_terminal(app, request.read) as meanwhile:
                send_to_consent_page(
                    request,
                    timeout or TIMEOUT,
                    no_browser=no_browser,
                    has_device=plan.has_device,
                    to_stderr=output.is_structured,
                )
                stored = complete_sign_in(sign_in, app, seconds=timeout or TIMEOUT, meanwhile=meanwhile)
            _show(target, stored, output)
            if plan.reminder:
                click.echo(plan.reminder, err=True)
            with suppress(KeyboardInterrupt):
                time.sleep(LINGER_SECONDS)


def _on_device(deployed: DeployedStack, options: SignInOptions, timeout: int | None, output: Output) -> None:
    plan = plan_device_sign_in(deployed, options)
    if doubt := why_doubtful(deployed):
        click.echo(doubt, err=True)
    _ = deployed.target.secret_arn  # better to fail now than after the sign-in
    kept = confirm_replacing_pair(deployed, plan.issued_by, yes=options.yes)
    stored = sign_in_on_device(deployed, plan, kept, timeout=timeout, to_stderr=output.is_structured)
    _show(deployed.target, stored, output)
    if plan.reminder:
        click.echo(plan.reminder, err=True)


@contextmanager
def _reporting_how_it_ended(app: CallbackApp) -> Iterator[None]:
    """Report an interruption, and redirects that were ignored."""
    try:
        yield
    except KeyboardInterrupt:
        state = "A pair may or may not have been stored" if app.has_response else "Nothing was stored"
        click.echo(f"\nInterrupted. {state}. Run the command again.", err=True)
        raise
    finally:
        if app.forged:
            click.echo(
                f"Ignored {app.forged} redirect(s) that did not belong to this sign-in. Unless you caused them, a web "
                "page or a program on this machine tried to sign you in to its own account.",
                err=True,
            )


def _show(target: Target, stored: StoredSignIn, output: Output) -> None:
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

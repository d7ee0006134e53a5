"""`tokenctl authorize`: what the operator types and reads."""

import threading
import time
import webbrowser
from contextlib import suppress
from typing import Final

import click

from refresh_token.windows import iso_utc
from tokenctl.aws_style.options import target_options
from tokenctl.aws_style.output import Output, output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.errors import ConfigurationError
from tokenctl.sign_in import consent as consent_page
from tokenctl.sign_in.consent import Consent
from tokenctl.sign_in.loopback import Loopback
from tokenctl.sign_in.reception import Reception
from tokenctl.sign_in.sign_in import SignIn, Stored, finish
from tokenctl.sign_in.terms import Asked, terms_for
from tokenctl.stack.issuer import NAMES
from tokenctl.stack.target import Target
from tokenctl.terminal.confirm_replace import ask_before_replacing, moment

LATE_SECONDS: Final = 2.0
"""How long the port is answered after the sign-in."""

_EXAMPLES: Final = """\b
Examples:
  The redirect address http://127.0.0.1:8976/callback is registered with the app, whose credentials the stack has:
    tokenctl authorize --stage prod --port 8976
  The stack's issuer is amplify, which holds the app's secret:
    tokenctl authorize --stage prod --client-id YOUR_APP --port 8976
  Without a browser on this machine; forward the port from the one that has it
  (ssh -L 8976:127.0.0.1:8976 ...), and open there what is printed:
    tokenctl authorize --port 8976 --no-browser
  Registered with the name instead of the number, and with one scope more:
    tokenctl authorize --port 8976 --redirect-host localhost --scope file_content:read
"""


@click.command("authorize", cls=AwsCommand, epilog=_EXAMPLES)
@click.option("--issuer", type=click.Choice(NAMES), help="Who issues the pair; without it the stack's issuer.")
@click.option(
    "--client-id",
    envvar="FIGMA_CLIENT_ID",
    show_envvar=True,
    help="Client id of the app. Needed with amplify; otherwise the stack has it.",
)
@click.option(
    "--scope",
    "asked_scopes",
    multiple=True,
    metavar="SCOPE",
    help=f"Scope to ask for besides {consent_page.LEAST_SCOPE} (with oauth2: besides the stack's); may be repeated.",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Port of 127.0.0.1 that the browser is sent back to; any free one without it.",
)
@click.option(
    "--redirect-host",
    type=click.Choice(consent_page.LOOPBACK_HOSTS),
    default=consent_page.LOOPBACK_HOSTS[0],
    show_default=True,
    help="How the registered redirect address writes this machine.",
)
@click.option("--no-browser", is_flag=True, help="Print the address instead of opening it.")
@click.option(
    "--timeout", type=click.IntRange(min=1), default=300, show_default=True, help="Seconds to wait for the sign-in."
)
@click.option("--yes", is_flag=True, help="Replace a stored pair without asking.")
@click.option("--authorize-url", help=f"The consent page; without it {consent_page.FIGMA}. Needed with oauth2.")
@click.option("--token-url", help="Where the code is exchanged, with figma or oauth2; without it as the stack has it.")
@target_options
@output_options
def authorize(  # noqa: PLR0913 - one for each option
    *,
    target: Target,
    issuer: str | None,
    client_id: str | None,
    asked_scopes: tuple[str, ...],
    port: int | None,
    redirect_host: str,
    no_browser: bool,
    timeout: int,
    yes: bool,
    authorize_url: str | None,
    token_url: str | None,
    output: Output,
) -> None:
    """Sign in to Figma in the browser and store the token pair.

    Opens the consent page, waits on a port of 127.0.0.1 for the browser to come back, exchanges the code and stores
    the pair in the secret of the stack. The redirect address, http://127.0.0.1:PORT/callback, must be registered with
    the app. No token is shown.
    """
    asked = Asked(
        issuer=issuer,
        client_id=client_id,
        scopes=asked_scopes,
        authorize_url=authorize_url,
        token_url=token_url,
        yes=yes,
    )
    asked.check()
    if not no_browser:
        _check_browser()
    terms = terms_for(target, asked)
    _ = target.secret_arn  # better no stack now than after the sign-in
    kept = ask_before_replacing(target, yes=yes)
    with Loopback(port or 0) as loopback:
        consent = terms.consent(consent_page.redirect_uri(redirect_host, loopback.port))
        with loopback.serving(consent.state) as reception:
            sign_in = SignIn(consent=consent, exchange=terms.exchange, target=target, kept=kept)
            stored = _go_through(sign_in, reception, timeout, no_browser=no_browser, apart=output.asked_for)
            _show(target, stored, output)
            if terms.reminder:
                click.echo(terms.reminder, err=True)
            _stay()


def _stay() -> None:
    """Tell those who load the last page again, or allow it in a second tab, that it is over, instead of nothing."""
    with suppress(KeyboardInterrupt):
        time.sleep(LATE_SECONDS)


def _go_through(sign_in: SignIn, reception: Reception, timeout: int, *, no_browser: bool, apart: bool) -> Stored:
    """Ask, and wait; `apart` keeps standard output for what `--output` asked for."""
    try:
        _ask(sign_in.consent, timeout, no_browser=no_browser, apart=apart)
        return finish(sign_in, reception, seconds=timeout)
    except KeyboardInterrupt:
        known = "Whether a pair was stored is not known" if reception.answered else "Nothing was stored"
        click.echo(f"\nInterrupted. {known}. Run the command again.", err=True)
        raise
    finally:
        if reception.forged:
            click.echo(
                f"Ignored {reception.forged} redirect(s) that did not belong to this sign-in. Unless you caused them, "
                "a page or a program on this machine tried to sign you in to an account of its own.",
                err=True,
            )


def _check_browser() -> None:
    try:
        webbrowser.get()
    except webbrowser.Error:
        raise ConfigurationError(
            "No browser was found on this machine. Say --no-browser, and open the address that it prints."
        ) from None


def _ask(consent: Consent, timeout: int, *, no_browser: bool, apart: bool) -> None:
    if no_browser:
        click.echo(f"Open this address in a browser:\n\n{consent.address}\n", err=apart)
    else:
        click.echo(f"Opening {consent.whose} consent page in your browser.", err=apart)
        # In a thread: a browser in the foreground returns only when it is closed.
        threading.Thread(target=_open, args=(consent.address,), name="browser", daemon=True).start()
    click.echo(
        f"Waiting up to {timeout} seconds for the answer at {consent.redirect_uri}, which must be registered with the "
        "app. Ctrl-C stops.",
        err=apart,
    )


def _open(address: str) -> None:
    if not webbrowser.open(address):
        click.echo(
            "The browser did not open. Stop with Ctrl-C and say --no-browser, which prints the address.", err=True
        )


def _show(target: Target, stored: Stored, output: Output) -> None:
    if output.asked_for:
        expires_at = stored.expires_at and iso_utc(stored.expires_at)
        names = {"stack": target.stack_name, "secretArn": target.secret_arn}
        output.print("authorize", {**names, "versionId": stored.version_id, "expiresAt": expires_at})
        return
    click.secho("Signed in. The token pair is stored.", fg="green", bold=True, color=output.colored)
    for name, value in (
        ("stack", target.stack_name),
        ("secret", target.secret_arn),
        ("version", stored.version_id),
        ("token lives until", moment(stored.expires_at)),
    ):
        click.echo(f"  {name:<18}{value}")

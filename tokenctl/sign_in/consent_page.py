"""Sending the person to the consent page: in the browser of this machine, or with an address to open elsewhere."""

from typing import Final

import click

from tokenctl.sign_in.authorization_request import AuthorizationRequest
from tokenctl.terminal.browser import has_browser, open_in_background
from tokenctl.terminal.hidden_lines import can_paste

PASTE: Final = (
    "On another machine, the sign-in ends at an address on this one, which the browser there cannot show. Copy that "
    "address, paste it here and press Enter. It is not shown."
)


DEVICE: Final = "Or stop, and run `tokenctl authorize --device`: then nothing has to come back to this machine."


def send_to_consent_page(
    request: AuthorizationRequest, timeout: int, *, no_browser: bool, has_device: bool, to_stderr: bool
) -> None:
    """Open the consent page, or print its address if there is no browser, and say what the command waits for.

    `has_device` offers the sign-in on another device instead.
    """

    def print_address(why: str) -> None:
        click.echo(f"{why}Open this address in a browser:\n\n{request.address}\n", err=to_stderr)
        if can_paste():
            click.echo(PASTE, err=to_stderr)
        if has_device:
            click.echo(DEVICE, err=to_stderr)

    if no_browser or not has_browser():
        print_address("" if no_browser else "There is no browser on this machine. ")
    else:
        click.echo(f"Opening {request.issuer_label}'s consent page in your browser.", err=to_stderr)
        open_in_background(request.address, if_it_fails=lambda: print_address("The browser did not open. "))
    click.echo(
        f"Waiting up to {timeout} seconds for the answer at {request.redirect_uri}, which must be registered with the "
        "app. Ctrl-C stops.",
        err=to_stderr,
    )

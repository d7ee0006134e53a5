"""The options of the commands that sign in."""

import functools
from collections.abc import Callable
from typing import Any, Final

import click

from refresh_token.oauth.issuers import FIGMA_CONSENT_PAGE, FIGMA_SCOPES
from tokenctl.sign_in.authorization_request import LOOPBACK_HOSTS
from tokenctl.sign_in.in_browser import TIMEOUT, Browser
from tokenctl.sign_in.options import SignInOptions

Command = Callable[..., Any]

_OPTIONS: Final = (
    click.option(
        "--client-id",
        envvar="FIGMA_CLIENT_ID",
        show_envvar=True,
        help="Client id of the app. Required with amplify; with other issuers the stack has it.",
    ),
    click.option(
        "--scope",
        "scopes",
        multiple=True,
        metavar="SCOPE",
        help=f"Scope to request in addition to {' '.join(FIGMA_SCOPES)} (oauth2 and profiles: to the stack's). "
        "Repeatable.",
    ),
    click.option(
        "--port",
        type=click.IntRange(1, 65535),
        help="Port of 127.0.0.1 that the browser is sent back to. Default: any free port.",
    ),
    click.option(
        "--redirect-host",
        type=click.Choice(LOOPBACK_HOSTS),
        default=LOOPBACK_HOSTS[0],
        show_default=True,
        help="Name of this machine in the registered redirect address.",
    ),
    click.option(
        "--device",
        is_flag=True,
        help="Sign in on another device, by typing a code there, if the provider's profile has an address for that.",
    ),
    click.option("--no-browser", is_flag=True, help="Print the address, as on a machine without a browser."),
    click.option(
        "--timeout",
        type=click.IntRange(min=1),
        help=f"Seconds to wait for the sign-in. Default: {TIMEOUT}; with --device, as long as the code lives.",
    ),
    click.option("--yes", is_flag=True, help="Replace a stored pair without asking."),
    click.option(
        "--authorize-url",
        help=f"The consent page. Default: the provider's, such as {FIGMA_CONSENT_PAGE}. Required with oauth2.",
    ),
    click.option(
        "--token-url", help="Where the code is exchanged, not with amplify. Default: the stack's token endpoint."
    ),
)


def sign_in_options(command: Command) -> Command:
    """Add the options; the command receives `options`, `browser`, `device` and `timeout` instead.

    An option --issuer of its own becomes one of the `options`.
    """

    @functools.wraps(command)
    def with_sign_in(  # noqa: PLR0913 - one for each option
        *,
        client_id: str | None,
        scopes: tuple[str, ...],
        port: int | None,
        redirect_host: str,
        no_browser: bool,
        timeout: int | None,
        yes: bool,
        authorize_url: str | None,
        token_url: str | None,
        issuer: str | None = None,
        **others: Any,  # noqa: ANN401 - the command's own
    ) -> Any:  # noqa: ANN401 - the command's own
        options = SignInOptions(
            issuer=issuer,
            client_id=client_id if client_id is None else client_id.strip(),
            scopes=scopes,
            authorize_url=authorize_url,
            token_url=token_url,
            yes=yes,
        )
        options.validate()
        browser = Browser(port=port, redirect_host=redirect_host, opens=not no_browser, timeout=timeout or TIMEOUT)
        return command(options=options, browser=browser, timeout=timeout, **others)

    wrapped: Command = with_sign_in
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped

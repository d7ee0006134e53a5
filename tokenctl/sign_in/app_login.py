"""The app that a sign-in uses: the one whose credentials the stack has, or one that the operator types."""

import sys

import click

from refresh_token.oauth.app_credentials import AppCredentials
from tokenctl.errors import TokenctlError, UsageError
from tokenctl.stack.app_secret import NoCredentialsError, how_to_store, read_credentials
from tokenctl.stack.target import Target
from tokenctl.terminal.secret_input import prompt_hidden


def app_login(target: Target, client_id: str | None) -> tuple[AppCredentials, str]:
    """Return the app's credentials, and what the operator must do about them afterwards, if anything.

    Raises:
        UsageError: `client_id` is given and belongs to another app.
        ServiceError, ConfigurationError: the credentials cannot be read, and nobody can type them.

    """
    reminder = ""
    try:
        app = read_credentials(target)
    except TokenctlError as error:
        if not sys.stdin.isatty():
            raise
        click.echo(f"{error} For this sign-in you can type them; they are not shown.", err=True)
        app = AppCredentials(
            client_id=client_id or prompt_hidden("Client id of the app"), client_secret=prompt_hidden("Client secret")
        )
        if isinstance(error, NoCredentialsError):
            reminder = f"The function cannot refresh without the app's credentials. {how_to_store(target)}"
    if client_id not in {None, app.client_id}:
        raise UsageError(
            "--client-id, or FIGMA_CLIENT_ID, is not that of the app whose credentials the stack has. Leave it out, or "
            "store the other app's credentials with `tokenctl app-credentials`."
        )
    return app, reminder

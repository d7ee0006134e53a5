"""The app that a sign-in uses: the one whose credentials the stack has, or one that the operator types."""

import json

import click

from refresh_token.core.issued_by import IssuedBy
from refresh_token.oauth.app_credentials import CLIENT_ID, AppCredentials, parse_app_credentials
from tokenctl.errors import ConfigurationError, TokenctlError, UsageError
from tokenctl.stack.app_secret import NoCredentialsError, how_to_store, read_credentials
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.terminal.app_prompts import ask_for
from tokenctl.terminal.standard_input import is_terminal


def app_login(
    deployed: DeployedStack, issued_by: IssuedBy, client_id: str | None, keys: tuple[str, ...]
) -> tuple[AppCredentials, str]:
    """Return the app's credentials, and what the operator must do about them afterwards, if anything.

    `keys` are those that the issuer needs.

    Raises:
        UsageError: `client_id` is given and belongs to another app.
        ConfigurationError: the stored credentials belong to another issuer or host than `issued_by`.
        ServiceError, ConfigurationError: the credentials cannot be read, and nobody can type them.

    """
    reminder = ""
    try:
        app = read_credentials(deployed, keys)
    except TokenctlError as error:
        if not is_terminal():
            raise
        click.echo(f"{error} For this sign-in you can type them; they are not shown.", err=True)
        app = _typed(keys, client_id)
        if isinstance(error, NoCredentialsError):
            reminder = f"The function cannot refresh without the app's credentials. {how_to_store(deployed.target)}"
    if app.issued_by not in {None, issued_by}:
        raise ConfigurationError(
            f"The stored app credentials belong to {app.issued_by}, and this sign-in is at {issued_by}. Nothing was "
            f"sent. Store those of the right app with `tokenctl app-credentials {deployed.target.option}`."
        )
    if client_id not in {None, app.client_id}:
        raise UsageError(
            "--client-id, or FIGMA_CLIENT_ID, is not that of the app whose credentials the stack has. Leave it out, or "
            "store the other app's credentials with `tokenctl app-credentials`."
        )
    return app, reminder


def _typed(keys: tuple[str, ...], client_id: str | None) -> AppCredentials:
    try:
        return parse_app_credentials(json.dumps(ask_for(keys, {CLIENT_ID: client_id})), needs=keys)
    except ValueError as error:
        fault = str(error)
    raise UsageError(f"These are not an app's credentials: {fault}.")

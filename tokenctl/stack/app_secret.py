"""The secret that holds the credentials of the operator's own app."""

import json
from collections.abc import Mapping

from refresh_token.core.issued_by import KEY as ISSUED_BY
from refresh_token.core.token_pair import TokenPair
from refresh_token.oauth.app_credentials import AppCredentials, parse_app_credentials
from refresh_token.oauth.client_auth import authenticate
from refresh_token.oauth.issuer_settings import OwnAppSettings
from tokenctl.errors import ConfigurationError, TokenctlError, UsageError
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.issuer import app_keys, app_secret_arn, deployed_issued_by, deployed_settings
from tokenctl.stack.secrets_manager import get_current_value, put_document
from tokenctl.stack.target import Target


class NoCredentialsError(ConfigurationError):
    """The secret holds no app credentials. The message shows no value."""


def how_to_store(target: Target) -> str:
    """Return the sentence that names the command to store credentials with."""
    return f"Store them with `tokenctl app-credentials {target.option}`."


def validated_document(text: str, deployed: DeployedStack) -> dict[str, object]:
    """Return the document that an operator wants to store, which notes whose credentials these are.

    White space around them is dropped: pasted text often ends with a line break.

    Raises:
        UsageError: it holds no credentials, or those of another issuer, or some that the issuer's way of
            authentication cannot carry. The message shows no value.

    """
    try:
        keys = app_keys(deployed)
        app = parse_app_credentials(stripped := _stripped(text, keys), needs=keys)
    except ValueError as error:
        fault = str(error)
    else:
        fault = unusable(app, deployed) or ""
    if fault:
        raise UsageError(f"These are not an app's credentials: {fault}. Nothing was stored.")
    document: dict[str, object] = json.loads(stripped)
    issued_by = deployed_issued_by(deployed)
    return document if issued_by is None else {**document, ISSUED_BY: issued_by.to_document()}


def unusable(app: AppCredentials, deployed: DeployedStack) -> str | None:
    """Return why the function would refuse to use the credentials, None if it would not or if that is not known."""
    try:
        settings = deployed_settings(deployed)
    except TokenctlError:
        return None
    if app.issued_by not in {None, settings.issued_by}:
        return f"they belong to {app.issued_by}, and the function uses {settings.issued_by}"
    try:
        authenticate(settings.profile.client_auth, app)
    except ValueError as error:
        return str(error)
    return None


def _stripped(text: str, keys: tuple[str, ...]) -> str:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if isinstance(document, dict):
        document |= {key: value.strip() for key in keys if isinstance(value := document.get(key), str)}
    return json.dumps(document)


def read_credentials(deployed: DeployedStack, keys: tuple[str, ...] | None = None) -> AppCredentials:
    """Return the stack's app credentials, with the `keys` that the issuer needs, by default those of the stack's.

    Raises:
        NoCredentialsError: the secret is empty or holds something else.
        ServiceError, ConfigurationError: the stack has no such secret, or Secrets Manager fails or denies access.

    """
    text, target = _current_text(deployed), deployed.target
    if text == "":
        raise NoCredentialsError(f"The {target.label} has no app credentials yet. {how_to_store(target)}")
    try:
        return parse_app_credentials(text, needs=app_keys(deployed) if keys is None else keys)
    except ValueError as error:
        fault = str(error)
    raise NoCredentialsError(
        f"The secret for the app's credentials does not hold them: {fault}. {how_to_store(target)}"
    )


def credentials_for(deployed: DeployedStack, settings: OwnAppSettings, pair: TokenPair) -> AppCredentials:
    """Return what goes with a token of the pair to the issuer of the settings; it is empty if that needs none.

    Raises:
        ConfigurationError: the pair or the credentials belong to another issuer, which alone may see them.
        ServiceError, ConfigurationError: as `read_credentials`.

    """
    app = read_credentials(deployed, settings.app_keys) if settings.app_keys else AppCredentials()
    owners = {"token pair belongs": pair.issued_by, "app credentials belong": app.issued_by}
    for what, owner in owners.items():
        if owner not in {None, settings.issued_by}:
            raise ConfigurationError(
                f"The stored {what} to {owner}, but the function uses {settings.issued_by}. Nothing was sent. Run "
                f"`tokenctl doctor {deployed.target.option}`: it says how to replace what is stored."
            )
    return app


def stored_owner(deployed: DeployedStack) -> str | None:
    """Return whose credentials are stored, in words; None if there are none. Raises as `read_credentials`."""
    text = _current_text(deployed)
    if text in {"", "{}"}:
        return None
    try:
        return str(parse_app_credentials(text, needs=()).issued_by or "an unknown issuer")
    except ValueError:
        return "an unknown issuer"


def store_credentials(deployed: DeployedStack, document: Mapping[str, object]) -> str:
    """Store credentials as the secret's current version; return the version's id. Raises as `put_document`."""
    return put_document(deployed.target, app_secret_arn(deployed), document)


def _current_text(deployed: DeployedStack) -> str | None:
    """Return the text of the secret, "" if it has no value yet, None if it is binary."""
    text: str | None = get_current_value(deployed.target, app_secret_arn(deployed)).get("SecretString")
    return text

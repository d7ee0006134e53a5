"""The secret that holds the credentials of the operator's own app."""

import json
from collections.abc import Mapping

from refresh_token.oauth.app_credentials import KEYS, AppCredentials, parse_app_credentials
from tokenctl.errors import ConfigurationError, UsageError
from tokenctl.stack.issuer import app_secret_arn
from tokenctl.stack.secrets_manager import get_current_value, put_document
from tokenctl.stack.target import Target


class NoCredentialsError(ConfigurationError):
    """The secret holds no app credentials. The message shows no value."""


def how_to_store(target: Target) -> str:
    """Return the sentence that names the command to store credentials with."""
    return f"Store them with `tokenctl app-credentials --stage {target.stage}`."


def validated_document(text: str) -> dict[str, object]:
    """Return the document that an operator wants to store; raises UsageError, which shows no value.

    White space around id and secret is dropped: pasted text often ends with a line break.
    """
    try:
        parse_app_credentials(stripped := _stripped(text))
    except ValueError as error:
        fault = str(error)
    else:
        document: dict[str, object] = json.loads(stripped)
        return document
    raise UsageError(f"These are not an app's credentials: {fault}. Nothing was stored.")


def _stripped(text: str) -> str:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if isinstance(document, dict):
        document |= {key: value.strip() for key in KEYS if isinstance(value := document.get(key), str)}
    return json.dumps(document)


def read_credentials(target: Target) -> AppCredentials:
    """Return the stack's app credentials.

    Raises:
        NoCredentialsError: the secret is empty or holds something else.
        ServiceError, ConfigurationError: the stack has no such secret, or Secrets Manager fails or denies access.

    """
    text = _current_text(target)
    if text == "":
        raise NoCredentialsError(f"The stack {target.stack_name} has no app credentials yet. {how_to_store(target)}")
    try:
        return parse_app_credentials(text)
    except ValueError as error:
        fault = str(error)
    raise NoCredentialsError(
        f"The secret for the app's credentials does not hold them: {fault}. {how_to_store(target)}"
    )


def would_replace(target: Target) -> bool:
    """Tell whether storing credentials would replace something; raises as `read_credentials` if it cannot be read."""
    return _current_text(target) not in {"", "{}"}


def store_credentials(target: Target, document: Mapping[str, object]) -> str:
    """Store credentials as the secret's current version; return the version's id. Raises as `put_document`."""
    return put_document(target, app_secret_arn(target), document)


def _current_text(target: Target) -> str | None:
    """Return the text of the secret, "" if it has no value yet, None if it is binary."""
    text: str | None = get_current_value(target, app_secret_arn(target)).get("SecretString")
    return text

"""The secret of the app's credentials: JSON with `clientId` and `clientSecret`, as the function reads it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from refresh_token.text import is_text
from tokenctl.errors import ConfigurationError, UsageError
from tokenctl.stack.issuer import app_secret_arn
from tokenctl.stack.secret import current_text, put_document
from tokenctl.stack.target import Target

KEYS: Final = ("clientId", "clientSecret")


class NoCredentialsError(ConfigurationError):
    """The secret holds no credentials, or something else. The message holds no value."""


@dataclass(frozen=True, kw_only=True)
class AppCredentials:
    """What tells an issuer which app asks (RFC 6749, 2.3.1). Its repr shows neither."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)


def how_to_fill(target: Target) -> str:
    """Return the command that stores credentials."""
    return f"Store them with `tokenctl app-credentials --stage {target.stage}`."


def credentials_in(document: object) -> AppCredentials:
    """Read credentials by the function's rules; raises ValueError, which names keys and no values."""
    if not isinstance(document, dict):
        raise ValueError("it is not a JSON object with `clientId` and `clientSecret`")  # noqa: TRY004 - of a text
    for key in KEYS:
        value = document.get(key)
        # What is pasted may end with a line break, which no issuer would take.
        if not isinstance(value, str) or not is_text(value) or value != value.strip():
            raise ValueError(f"`{key}` must be a string, not blank, without blanks around it")
    return AppCredentials(client_id=document["clientId"], client_secret=document["clientSecret"])


def checked_document(text: str) -> dict[str, object]:
    """Return what somebody wants to store; raises UsageError, which holds no value."""
    document = _json(text)
    try:
        credentials_in(document)
    except ValueError as error:
        fault = str(error)
    else:
        assert isinstance(document, dict)  # noqa: S101 - for mypy
        return document
    raise UsageError(f"These are not an app's credentials: {fault}. Nothing was stored.")


def read_credentials(target: Target) -> AppCredentials:
    """Return the stack's credentials.

    Raises:
        NoCredentialsError: there are none, or something else is stored.
        ServiceError, ConfigurationError: Secrets Manager cannot be asked, or refuses; the stack has no such secret.

    """
    text = current_text(target, app_secret_arn(target))
    if text == "":
        raise NoCredentialsError(f"The stack {target.stack_name} has no app credentials yet. {how_to_fill(target)}")
    try:
        return credentials_in(_json(text))
    except ValueError as error:
        fault = str(error)
    raise NoCredentialsError(f"The secret of the app's credentials does not hold them: {fault}. {how_to_fill(target)}")


def holds_something(target: Target) -> bool:
    """Tell whether there is anything that storing would replace; raises as `read_credentials`."""
    return current_text(target, app_secret_arn(target)) not in {"", "{}"}


def store_credentials(target: Target, document: Mapping[str, object]) -> str:
    """Store credentials as the secret's current version; return the version's id. Raises as `store_pair`."""
    return put_document(target, app_secret_arn(target), document)


def _json(text: str | None) -> object:
    try:
        return json.loads(text or "")
    except (ValueError, RecursionError):
        return None

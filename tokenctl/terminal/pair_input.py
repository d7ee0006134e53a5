"""A token pair that the operator types, or pastes from elsewhere."""

from collections.abc import Mapping
from typing import Any, Final

import click

from tokenctl.terminal.secret_input import prompt_hidden

PASTED: Final = frozenset({"accessToken", "refreshToken", "access_token", "refresh_token", "clientId"})
"""What an operator copies from elsewhere, often with a line break at the end."""


def without_line_breaks(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document with no white space around what an operator pastes."""
    return {
        key: value.strip() if key in PASTED and isinstance(value, str) else value for key, value in document.items()
    }


def prompt_pair(*, static: bool = False) -> dict[str, Any]:
    """Ask for each part of a pair, in the secret format; nothing that is typed is shown. `static`: no refresh token."""
    document: dict[str, Any] = {}
    if access_token := prompt_hidden("Access token; empty if you have none", default="", show_default=False):
        document["accessToken"] = access_token
    if not static:
        document["refreshToken"] = prompt_hidden("Refresh token")
    if client_id := prompt_hidden("Client id, if the app needs one", default="", show_default=False):
        document["clientId"] = client_id
    label = "Expiry: seconds from now, or an ISO 8601 date and time; empty if unknown"
    expiry = str(click.prompt(label, default="", show_default=False, err=True)).strip()
    if expiry:
        document |= {"expiresIn": int(expiry)} if expiry.isdecimal() else {"expiresAt": expiry}
    return document

"""Asking for the credentials of an app, which are not shown."""

from collections.abc import Mapping
from typing import Final

from refresh_token.oauth.app_credentials import CLIENT_ID, CLIENT_SECRET
from tokenctl.terminal.secret_input import prompt_hidden

_WORDS: Final = {CLIENT_ID: "Client id of the app", CLIENT_SECRET: "Client secret"}


def ask_for(keys: tuple[str, ...], known: Mapping[str, str | None]) -> dict[str, str]:
    """Return a value for each key: the known one, or what the operator types."""
    return {key: known.get(key) or prompt_hidden(_WORDS.get(key, f"`{key}` of the app")) for key in keys}

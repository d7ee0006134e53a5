"""The credentials of an app: id and secret, and the JSON that stores them."""

import json
from dataclasses import dataclass, field
from typing import Final

from refresh_token.core.text import is_text

KEYS: Final = ("clientId", "clientSecret")


@dataclass(frozen=True, slots=True)
class AppCredentials:
    """What identifies an app to an issuer (RFC 6749, 2.3.1). The repr shows neither."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)


def parse_app_credentials(text: object) -> AppCredentials:
    """Read credentials from the text of a secret or a file. Keys other than KEYS are allowed.

    Raises:
        ValueError: `text` holds no credentials. The message names keys, never values.

    """
    document = _json(text)
    if not isinstance(document, dict):
        raise ValueError("it is not a JSON object with `clientId` and `clientSecret`")  # noqa: TRY004 - of a text
    for key in KEYS:
        value = document.get(key)
        # Pasted text may end with a line break, which no issuer would accept.
        if not isinstance(value, str) or not is_text(value) or value != value.strip():
            raise ValueError(f"`{key}` must be a non-empty string without spaces around it")
    return AppCredentials(*(document[key] for key in KEYS))


def _json(text: object) -> object:
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None

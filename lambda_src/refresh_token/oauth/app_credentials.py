"""The credentials of an app: id and secret, and the JSON that stores them."""

import json
from dataclasses import dataclass, field
from typing import Final

from refresh_token.core import issued_by
from refresh_token.core.issued_by import IssuedBy, parse_issued_by
from refresh_token.core.text import CREDENTIAL_RULE, is_credential

KEYS: Final = ("clientId", "clientSecret")


@dataclass(frozen=True, slots=True)
class AppCredentials:
    """What identifies an app to an issuer (RFC 6749, 2.3.1). The repr shows neither of them."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    issued_by: IssuedBy | None = None
    """The issuer that they are for; None if the document does not say."""


def parse_app_credentials(text: object) -> AppCredentials:
    """Read credentials from the text of a secret or a file. Keys other than KEYS are allowed.

    Raises:
        ValueError: `text` holds no credentials. The message names keys, never values.

    """
    document = _json(text)
    if not isinstance(document, dict):
        raise ValueError("it is not a JSON object with `clientId` and `clientSecret`")  # noqa: TRY004 - of a text
    for key in KEYS:
        if not is_credential(document.get(key)):
            raise ValueError(f"`{key}` {CREDENTIAL_RULE}")
    issuer = document.get(issued_by.KEY)
    origin = None if issuer is None else parse_issued_by(issuer)
    return AppCredentials(document["clientId"], document["clientSecret"], origin)


def _json(text: object) -> object:
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None

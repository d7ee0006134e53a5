"""The credentials of an app: id and secret, and the JSON that stores them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from refresh_token.core import issued_by
from refresh_token.core.issued_by import IssuedBy, parse_issued_by
from refresh_token.core.text import CREDENTIAL_RULE, is_credential

CLIENT_ID: Final = "clientId"
CLIENT_SECRET: Final = "clientSecret"  # noqa: S105 - the name of a key
KEYS: Final = (CLIENT_ID, CLIENT_SECRET)


@dataclass(frozen=True, slots=True)
class AppCredentials:
    """What identifies an app to an issuer (RFC 6749, 2.3.1). The repr shows none of it."""

    client_id: str = field(default="", repr=False)
    client_secret: str = field(default="", repr=False)
    issued_by: IssuedBy | None = None
    """The issuer that they are for; None if the document does not say."""
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What else the issuer's profile needs."""


def parse_app_credentials(text: object, *, needs: tuple[str, ...] = KEYS) -> AppCredentials:
    """Read credentials from the text of a secret or a file, which must have the keys that are needed. It may have more.

    Raises:
        ValueError: `text` does not hold them. The message names keys, never values.

    """
    document = _json(text)
    if not isinstance(document, dict):
        raise ValueError(f"it is not a JSON object with {_listed(needs)}")  # noqa: TRY004 - of a text
    for key in needs:
        if not is_credential(document.get(key)):
            raise ValueError(f"`{key}` {CREDENTIAL_RULE}")
    issuer = document.get(issued_by.KEY)
    origin = None if issuer is None else parse_issued_by(issuer)
    found = {key: document[key] for key in needs}
    return AppCredentials(found.pop(CLIENT_ID, ""), found.pop(CLIENT_SECRET, ""), origin, found)


def _listed(keys: tuple[str, ...]) -> str:
    quoted = [f"`{key}`" for key in keys]
    return " and ".join([part for part in (", ".join(quoted[:-1]), quoted[-1]) if part])


def _json(text: object) -> object:
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None

"""Client authentication: where a request for tokens carries the app's credentials (RFC 6749, 2.3.1)."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from refresh_token.oauth.app_credentials import AppCredentials


@dataclass(frozen=True, slots=True)
class Authentication:
    """What authentication adds to a request."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)


def _basic(app: AppCredentials) -> Authentication:
    """Form-encode id and secret, then use them as user and password.

    A space becomes %20, which servers understand even if they do not decode a plus.
    """
    return _header(f"{quote(app.client_id, safe='')}:{quote(app.client_secret, safe='')}")


def _basic_unescaped(app: AppCredentials) -> Authentication:
    """Use id and secret as they are, as Figma documents it."""
    if ":" in app.client_id:
        raise ValueError("the client id contains a colon, which separates it from the secret in HTTP Basic")
    return _header(f"{app.client_id}:{app.client_secret}")


def _post(app: AppCredentials) -> Authentication:
    """Put id and secret into the form."""
    return Authentication(fields={"client_id": app.client_id, "client_secret": app.client_secret})


def _header(pair: str) -> Authentication:
    return Authentication(headers={"Authorization": f"Basic {b64encode(pair.encode()).decode()}"})


BASIC: Final = "basic"
POST: Final = "post"
BASIC_UNESCAPED: Final = "basic-unescaped"

STANDARD: Final = (BASIC, POST)
"""The methods of RFC 6749."""

_METHODS: Final[Mapping[str, Callable[[AppCredentials], Authentication]]] = {
    BASIC: _basic,
    POST: _post,
    BASIC_UNESCAPED: _basic_unescaped,
}


def authenticate(method: str, app: AppCredentials) -> Authentication:
    """Return what a method of client authentication adds to a request.

    Raises:
        ValueError: the method cannot carry these credentials. The message does not show them.

    """
    return _METHODS[method](app)

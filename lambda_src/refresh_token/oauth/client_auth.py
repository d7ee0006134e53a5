"""Client authentication: where a request for tokens carries the app's credentials (RFC 6749, 2.3.1)."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from refresh_token.oauth.app_credentials import AppCredentials


@dataclass(frozen=True, slots=True)
class Authentication:
    """What authentication adds to a request. The fields have the standard's names."""

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


def _basic_secret(app: AppCredentials) -> Authentication:
    """Use the secret alone, without a user and without the colon."""
    return _header(app.client_secret)


def _post(app: AppCredentials) -> Authentication:
    """Put id and secret into the form."""
    return Authentication(fields={CLIENT_ID: app.client_id, CLIENT_SECRET: app.client_secret})


def _public(app: AppCredentials) -> Authentication:
    """Put the id into the form: a public client has no secret (RFC 6749, 3.2.1)."""
    return Authentication(fields={CLIENT_ID: app.client_id})


def _header(pair: str) -> Authentication:
    return Authentication(headers={"Authorization": f"Basic {b64encode(pair.encode()).decode()}"})


CLIENT_ID: Final = "client_id"
CLIENT_SECRET: Final = "client_secret"  # noqa: S105 - the name of a parameter

BASIC: Final = "basic"
POST: Final = "post"
BASIC_UNESCAPED: Final = "basic-unescaped"
PRIVATE_KEY_JWT: Final = "private_key_jwt"

STANDARD: Final = (BASIC, POST)
"""The methods of RFC 6749."""

_JWT_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_METHODS: Final[Mapping[str, Callable[[AppCredentials], Authentication]]] = {
    BASIC: _basic,
    POST: _post,
    BASIC_UNESCAPED: _basic_unescaped,
    "basic-secret": _basic_secret,
    "none": _public,
    PRIVATE_KEY_JWT: _public,
    "off": lambda _: Authentication(),
}


def authenticate(method: str, app: AppCredentials, *, assertion: str = "") -> Authentication:
    """Return what a method of client authentication adds to a request; `assertion` is what the app has signed.

    Raises:
        ValueError: the method cannot carry these credentials. The message does not show them.

    """
    found = _METHODS[method](app)
    if method != PRIVATE_KEY_JWT:
        return found
    signed = {"client_assertion_type": _JWT_TYPE, "client_assertion": assertion}  # RFC 7523, 2.2
    return Authentication(found.headers, {**found.fields, **signed})

"""Which further headers of an API (`Api.headers`) a request gets: those that the caller has not set."""

from collections.abc import Mapping
from typing import Final

from token_client.tokens import Token

_DEFAULTS: Final = frozenset({("accept", "*/*")})
"""What HTTP libraries set if the caller sets nothing."""


def headers_for(token: Token, given: Mapping[str, str | bytes]) -> dict[str, str]:
    """Return the headers to add to those of a request: the one with the token, and the further ones that it lacks."""
    theirs = {name.lower() for name, value in given.items() if (name.lower(), _text(value)) not in _DEFAULTS}
    return {
        name: value for name, value in token.headers.items() if name == token.api.header or name.lower() not in theirs
    }


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value

"""Asking an issuer who signed in, for people to read."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from refresh_token.core.token_pair import TokenPair
from refresh_token.oauth.addresses import authority
from refresh_token.oauth.answer_members import values_in
from tokenctl.errors import TokenctlError
from tokenctl.sign_in.transport import Answer, get

if TYPE_CHECKING:
    from refresh_token.oauth.bound_profile import BoundProfile

MAX_SECONDS: Final = 5.0
MAX_LENGTH: Final = 100
"""Characters of the answer that are shown."""


def who_asks(profile: "BoundProfile", token_url: str, bundle: str | None) -> Callable[[TokenPair], str | None] | None:
    """Return what tells the user of a pair; None if the issuer has no such call.

    `token_url` is where the operator has the code exchanged instead of where the profile says. Then only a page at the
    same host gets the token.
    """
    if not profile.profile.api.user:
        return None
    if token_url and (not profile.user_url or authority(profile.user_url) != authority(token_url)):
        return None
    return partial(_user, profile, bundle)


def _user(profile: "BoundProfile", bundle: str | None, pair: TokenPair) -> str | None:
    page = profile.with_values(pair.values).user_url
    try:
        response = page and get(page, pair.access_token, bundle=bundle, seconds=MAX_SECONDS, api=pair.api).response
    except TokenctlError:
        return None
    return user_in(response.document, profile.user_keys, pair.access_token) if response and response.succeeded else None


def user_in(document: Mapping[str, object], keys: tuple[str, ...], access_token: str) -> str | None:
    """Return the user that an answer names at these paths; None if it names none, or echoes the token."""
    found = values_in(document, {key: key for key in keys})
    names = [name for key in keys if isinstance(name := found.get(key), str) and name.isprintable()]
    if not names or any(access_token in name for name in names):
        return None
    first, *others = names
    return (f"{first} ({', '.join(others)})" if others else first)[:MAX_LENGTH]


def scopes_in(answer: Answer, access_token: str) -> str | None:
    """Return the scopes that an answer tells, with spaces between them; None if it tells none, or echoes the token.

    They are in the header ``X-OAuth-Scopes``, or in the body under ``scope`` (RFC 7662, 2.2) or ``scopes``.
    """
    document = answer.response.document
    for said in (answer.scopes, document.get("scope"), document.get("scopes")):
        words = said.replace(",", " ").split() if isinstance(said, str) else said
        if isinstance(words, list) and words and all(isinstance(word, str) for word in words):
            return printable(" ".join(words), access_token)
    return None


def printable(scopes: str | None, access_token: str) -> str | None:
    """Return the scopes if they can be shown."""
    return scopes if scopes and scopes.isprintable() and access_token not in scopes else None

"""The profile of the issuer `oauth2`, which its settings describe."""

from collections.abc import Mapping
from typing import Final

from refresh_token.oauth.bound_profile import BoundProfile
from refresh_token.oauth.profile import REFRESH_TOKEN, Client, Profile, SignIn
from refresh_token.oauth.profile_addresses import Addresses
from refresh_token.oauth.profile_answers import Answer
from refresh_token.oauth.profile_requests import RefreshRequest, Request

NAME: Final = "oauth2"
_OF_CODE: Final = ("code", "redirect_uri", "code_verifier")
"""Fields of the exchange of a code that extra parameters do not replace."""


def inline_profile(
    *,
    token_url: str,
    client_auth: str,
    scope: str,
    parameters: Mapping[str, str],
    lifetime_seconds: int,
) -> BoundProfile:
    """Return the profile of a server that follows RFC 6749. No setting is a template, and their rules are checked."""
    literal = {name: _literal(text) for name, text in parameters.items()}
    profile = Profile(
        name=NAME,
        title="the issuer",
        grant=REFRESH_TOKEN,
        address=Addresses(token=_literal(token_url)),
        client=Client(auth=client_auth),
        sign_in=SignIn(scopes=tuple(scope.split())),
        code=Request(parameters={name: text for name, text in literal.items() if name not in _OF_CODE}),
        refresh=RefreshRequest(parameters=literal, scope=True),
        answer=Answer(lifetime_seconds=lifetime_seconds),
    )
    return BoundProfile(profile=profile, allow_http=True)


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")

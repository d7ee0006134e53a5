"""The JWT of a profile for one request. What signs it comes from outside: the function and `tokenctl` each ask KMS."""

from collections.abc import Callable

from refresh_token.oauth.app_credentials import AppCredentials
from refresh_token.oauth.bound_profile import BoundProfile
from refresh_token.oauth.jwt import claims_of, shared_signature, signing_input, with_signature
from refresh_token.oauth.profile_requests import KMS_ALGORITHMS
from refresh_token.oauth.requests import Occasion, scope_text, values_of

Sign = Callable[[bytes, str], bytes]
"""Signs a message by an algorithm of KMS. The signature of ECDSA is in DER."""


def assertion(bound: BoundProfile, app: AppCredentials, occasion: Occasion, sign: Sign | None) -> str:
    """Return the profile's JWT, "" if it has none. Without `sign`, both sides have the key.

    Raises:
        ValueError: a value is missing, or the key is not written as the profile says. The message shows none.

    """
    jwt = bound.profile.jwt
    if jwt is None:
        return ""
    values = {**values_of(bound, app), **occasion.values, "scope": scope_text(bound)}
    claims = claims_of(jwt, values, now=int(occasion.now.timestamp()), unique=occasion.random)
    text = signing_input(jwt, values, claims)
    if jwt.secret:
        return with_signature(jwt, text, shared_signature(jwt, values, text))
    if sign is None:
        raise ValueError("there is no key to sign with")
    return with_signature(jwt, text, sign(text.encode(), KMS_ALGORITHMS[jwt.alg]))

"""Reading the issued token out of an answer (RFC 6749, 5.1)."""

from refresh_token.errors import IssuerProtocolException
from refresh_token.issued_token import IssuedToken
from refresh_token.oauth.profiles import Profile
from refresh_token.oauth.responses import TokenResponse


def issued_token(response: TokenResponse, profile: Profile) -> IssuedToken:
    """Return the issued token, with the profile's lifetime if the answer has none.

    Raises:
        IssuerProtocolException: the answer holds no usable access token.

    """
    if profile.bearer_only and not is_bearer(response):
        raise IssuerProtocolException(
            "The issuer sent a token that is not a bearer token, so consumers cannot use it. Nothing was stored. "
            "Check the app's settings at the issuer."
        )
    document = response.document
    expires_in = document.get("expires_in")
    if expires_in is None:
        expires_in = profile.default_lifetime
    return IssuedToken.from_answer(document.get("access_token"), expires_in, document.get("refresh_token"))


def is_bearer(response: TokenResponse) -> bool:
    """Tell whether the issued token is a bearer token. A token without a type counts as one (RFC 6749, 7.1)."""
    kind = response.document.get("token_type", "bearer")
    return isinstance(kind, str) and kind.lower() == "bearer"

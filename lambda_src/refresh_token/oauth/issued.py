"""Reading the issued token out of an answer (RFC 6749, 5.1)."""

from typing import Final

from refresh_token.core.issued_token import Issued, read_issued
from refresh_token.errors import RefreshTokenError
from refresh_token.oauth.profiles import Profile
from refresh_token.oauth.responses import TokenResponse

REFRESH_LIFETIMES: Final = (
    "refresh_token_expires_in",
    "refresh_expires_in",
    "x_refresh_token_expires_in",
    "refreshTokenExpiresIn",
)
"""Members for the lifetime of a refresh token. RFC 6749 has none: the first is GitHub's and LinkedIn's, the second is
Keycloak's, the third is QuickBooks Online's (their documentation of the token endpoint)."""


def issued_token(
    response: TokenResponse, profile: Profile, *, sent: str = "", refusal: RefreshTokenError | None = None
) -> Issued:
    """Return what the issuer issued, with the profile's lifetime for a token whose lifetime the answer does not say.

    `sent` is the refresh token of the request; `refusal` is what the answer means if it holds no usable access token.

    Raises:
        RefreshTokenError: the answer holds neither a usable access token nor a new refresh token.

    """
    document = response.document
    return read_issued(
        document.get("access_token"),
        document.get("expires_in"),
        document.get("refresh_token"),
        token_type=document.get("token_type", "bearer"),
        refresh_expires_in=next((document[name] for name in REFRESH_LIFETIMES if name in document), None),
        default_lifetime=profile.default_lifetime,
        sent=sent,
        refusal=refusal,
    )

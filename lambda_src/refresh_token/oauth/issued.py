"""Reading the issued token out of an answer (RFC 6749, 5.1)."""

from collections.abc import Mapping
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
    "refresh_token_expires_at",
)
"""Members for the lifetime of a refresh token. RFC 6749 has none: the first is GitHub's and LinkedIn's, the second is
Keycloak's, the third is QuickBooks Online's, the last is Pinterest's (their documentation of the token endpoint)."""

LIFETIMES: Final = ("expires_in", "expires_on", "expires_at")
"""Members for the life of an access token. Azure AD's first endpoint has the second one, Strava the third."""


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
        _first(document, LIFETIMES),
        document.get("refresh_token"),
        token_type=document.get("token_type", "bearer"),
        refresh_expires_in=_first(document, REFRESH_LIFETIMES),
        default_lifetime=profile.default_lifetime,
        scope=document.get("scope"),
        sent=sent,
        refusal=refusal,
    )


def _first(document: Mapping[str, object], names: tuple[str, ...]) -> object:
    return next((value for name in names if (value := document.get(name)) is not None), None)

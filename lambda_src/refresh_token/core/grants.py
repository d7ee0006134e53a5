"""The grants, and what each one spends: the token that a refresh sends. Pure."""

from typing import Final, Literal

Spends = Literal["refresh_token", "access_token", "nothing"]
"""``nothing``: the app's credentials are enough, so there is no sign-in."""

SPENDS: Final[dict[str, Spends]] = {
    "refresh_token": "refresh_token",
    "client_credentials": "nothing",
    "jwt_bearer": "nothing",
    "token_exchange": "access_token",
    "two_step": "nothing",
}
"""Every grant that an issuer renews, the default first."""

STATIC: Final = "static"
"""The grant of a token that a person renews."""

GRANTS: Final = (*SPENDS, STATIC)

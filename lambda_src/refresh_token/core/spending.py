"""What a refresh spends: the refresh token, the access token that it exchanges for the next one, or nothing. Pure."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from refresh_token.core.grant import Grant
from refresh_token.core.grants import Spends
from refresh_token.core.issued_token import Issued, RefreshTokenOnly
from refresh_token.core.token_pair import TokenPair
from refresh_token.errors import ConfigurationException, ReauthorizationRequiredException, RefreshTokenError

ENDED: Final = (
    "The stored access token has ended, and only a live one can be exchanged for the next one. "
    "Run `tokenctl authorize --stage <stage>` to sign in."
)
APP_REFUSED: Final = (
    "The issuer refuses to give the app a token. Check at the provider that the app exists and may act there, and that "
    "the stored credentials are its own. Then run `tokenctl refresh --stage <stage>`; a sign-in is not needed."
)


def can_refresh(pair: TokenPair, spends: Spends) -> bool:
    """Tell whether a pair holds what a refresh spends."""
    return spends == "nothing" or bool(_spent_token(pair, spends))


def grant_of(pair: TokenPair, spends: Spends, *, now: datetime) -> Grant:
    """Return what the issuer may use of a pair: of its tokens only the one that it spends.

    Raises:
        ReauthorizationRequiredException: the access token is to be exchanged, and has ended.

    """
    if spends == "access_token" and pair.expires_at is not None and pair.expires_at <= now:
        raise ReauthorizationRequiredException(ENDED)
    return Grant(
        refresh_token=pair.refresh_token if spends == "refresh_token" else "",
        access_token=pair.access_token if spends == "access_token" else "",
        values=pair.values,
    )


def without_unused(issued: Issued, spends: Spends) -> Issued:
    """Return an answer without a refresh token that nothing would ever send.

    Raises:
        RefreshTokenError: the answer holds nothing else.

    """
    if spends == "refresh_token":
        return issued
    if isinstance(issued, RefreshTokenOnly):
        raise issued.error
    return replace(issued, refresh_token=None, refresh_expires_in=None)


def meaning_for(error: RefreshTokenError, spends: Spends) -> RefreshTokenError:
    """Return the error to raise for an issuer's error. Without a sign-in, nobody can be asked to sign in again."""
    refused = spends == "nothing" and isinstance(error, ReauthorizationRequiredException)
    return ConfigurationException(APP_REFUSED) if refused else error


def is_spent(old: TokenPair, new: TokenPair, spends: Spends) -> bool:
    """Tell whether what was sent may not work again, because the new pair has another one instead."""
    return _spent_token(old, spends) != _spent_token(new, spends)


def _spent_token(pair: TokenPair, spends: Spends) -> str:
    return {"refresh_token": pair.refresh_token, "access_token": pair.access_token, "nothing": ""}[spends]

"""An issuer's answer, checked. Pure."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from refresh_token.errors import IssuerProtocolException
from refresh_token.text import is_text
from refresh_token.windows import Expiry, read_expires_in

MAX_TOKEN_LENGTH: Final = 16_384
"""The most characters that an issued token may have, written as JSON. No HTTP header takes a longer one, and a secret
of 65 536 bytes (Secrets Manager quotas) has room for two of them and a few other keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """An issuer's answer: the token, ``expires_in`` as sent, and the new refresh token if there is one."""

    access_token: str = field(repr=False)
    expires_in: int
    refresh_token: str | None = field(default=None, repr=False)

    @classmethod
    def from_answer(cls, access_token: object, expires_in: object, refresh_token: object = None) -> "IssuedToken":
        """Check the types of an issuer's answer.

        A refresh token that is not text, or too long, is ignored. The previous access token is already dead, so an
        invalid optional member must not cost the new one.

        Raises:
            IssuerProtocolException: the access token is missing, not text or too long, or ``expires_in`` is not a
                whole number.

        """
        if not isinstance(access_token, str) or not is_text(access_token):
            raise _nonsense("it holds no access token")
        if not _fits(access_token):
            raise _nonsense("its access token is too long")
        if isinstance(expires_in, bool) or not isinstance(expires_in, int):
            raise _nonsense("its expiry is not a whole number")
        usable = isinstance(refresh_token, str) and is_text(refresh_token) and _fits(refresh_token)
        return cls(
            access_token=access_token, expires_in=expires_in, refresh_token=str(refresh_token) if usable else None
        )

    def expiry(self, *, now: datetime) -> Expiry:
        """Return when the token expires, if the answer came at ``now``.

        Raises:
            IssuerProtocolException: ``expires_in`` is zero or negative, or means a time that is not after ``now``.

        """
        try:
            expiry = read_expires_in(self.expires_in, counted_from=now)
        except ValueError:
            expiry = None
        if expiry is None:
            raise _nonsense("its expiry is not positive")
        if expiry.at <= now:
            raise _nonsense("its token has already expired")
        return expiry


def _fits(token: str) -> bool:
    return len(json.dumps(token)) - len('""') <= MAX_TOKEN_LENGTH


def _nonsense(why: str) -> IssuerProtocolException:
    return IssuerProtocolException(
        f"The issuer's answer makes no sense: {why}. Nothing was stored, but the previous token may be dead. Ask "
        "again; if this persists, the issuer has changed: look for a newer version of this stack."
    )

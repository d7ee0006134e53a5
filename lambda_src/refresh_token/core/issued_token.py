"""An issuer's answer, read leniently. Pure.

When an answer arrives, the previous access token may be dead and the refresh token spent. So nothing optional in the
answer makes it worthless: anything that cannot be read counts as missing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from refresh_token.core.text import MAX_ACCESS_TOKEN_LENGTH, is_access_token, is_credential
from refresh_token.core.values import Api, Value, readable_api, readable_scope, readable_values
from refresh_token.core.windows import Expiry, read_expires_in, whole_number
from refresh_token.errors import IssuerProtocolException, RefreshTokenError

DEFAULT_LIFETIME: Final = 7_776_000
"""The life of Figma's tokens in seconds: 90 days (Figma's REST API documentation, "Authentication"). Amplify UI Builder
passes these tokens on."""


class _Life:
    """How long the new refresh token of an answer lives."""

    __slots__ = ()
    refresh_expires_in: int | None

    def refresh_expires_at(self, *, now: datetime) -> datetime | None:
        """Return when the refresh token expires, if the answer came at ``now``; None if it does not say."""
        if self.refresh_expires_in is None:
            return None
        try:
            expiry = read_expires_in(self.refresh_expires_in, counted_from=now, max_lifetime=None)
        except (ValueError, OverflowError):
            return None
        return expiry.at if expiry.at > now else None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken(_Life):
    """An answer with a usable access token."""

    access_token: str = field(repr=False)
    expires_in: int | None
    """The number that the issuer sent; None if it sent none."""

    default_lifetime: int = DEFAULT_LIFETIME
    """The token's assumed life in seconds if the issuer states none."""

    refresh_token: str | None = field(default=None, repr=False)
    """The new refresh token, if there is one. The store decides whether it fits."""

    refresh_expires_in: int | None = None
    scope: str | None = None
    """The scopes that the issuer granted, with spaces between them; None if it does not say."""

    values: Mapping[str, Value] = field(default_factory=dict, repr=False)
    """What the provider says that consumers need, such as `instance_url`, by our names. Never a token."""

    api: Api = field(default_factory=dict, repr=False)
    """How consumers call the provider's API, where that is not the usual way."""

    odd: tuple[str, ...] = ()
    """Names of the members that were sent but are not what they should be."""

    def expiry(self, *, now: datetime) -> Expiry:
        """Return when the token expires, if the answer came at ``now``. ``said`` is false if that is a guess."""
        if self.expires_in is not None and self.expires_in > 0:
            expiry = read_expires_in(self.expires_in, counted_from=now)
            if expiry.at > now:
                return expiry
        return Expiry(now + timedelta(seconds=self.default_lifetime), said=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshTokenOnly(_Life):
    """An answer with a new refresh token, but without a usable access token."""

    refresh_token: str = field(repr=False)
    error: RefreshTokenError
    """What to raise once the refresh token is stored."""

    refresh_expires_in: int | None = None
    odd: tuple[str, ...] = ()


Issued = IssuedToken | RefreshTokenOnly


def read_issued(  # noqa: PLR0913 - the members of an answer
    access_token: object,
    expires_in: object = None,
    refresh_token: object = None,
    *,
    token_type: object = "bearer",  # noqa: S107 - the name of a type
    refresh_expires_in: object = None,
    default_lifetime: int = DEFAULT_LIFETIME,
    scope: object = None,
    values: Mapping[str, object] | None = None,
    api: Mapping[str, object] | None = None,
    sent: str = "",
    secrets: Collection[str] = (),
    refusal: RefreshTokenError | None = None,
) -> Issued:
    """Read the members of an issuer's answer.

    ``token_type`` is noted, never judged: consumers use every token as a bearer token. White space around a new refresh
    token is dropped. ``sent`` is the token that was sent, so it is not a new one. ``scope``, ``values`` and ``api`` are
    shown to consumers, so what holds a token of the pair or one of ``secrets`` is dropped. ``refusal`` is the error
    that the answer means if it holds no usable access token.

    Raises:
        RefreshTokenError: the answer holds neither a usable access token nor a new refresh token. It is ``refusal`` if
            there is one, else an IssuerProtocolException.

    """
    number, refresh_number = whole_number(expires_in), whole_number(refresh_expires_in)
    new = refresh_token.strip() if isinstance(refresh_token, str) else None
    new = new if is_credential(new) else None
    odd = {
        "expires_in": expires_in is not None and (number is None or number <= 0),
        "token_type": not isinstance(token_type, str) or token_type.lower() != "bearer",
        "refresh_token": refresh_token not in (None, "", new),
        "refresh_expires_in": refresh_expires_in is not None and refresh_number is None,
    }
    names = tuple(name for name, is_odd in odd.items() if is_odd)
    if is_access_token(access_token):
        hidden = (access_token, new or "", sent, *secrets)
        return IssuedToken(
            access_token=access_token,
            expires_in=number,
            default_lifetime=default_lifetime,
            refresh_token=new,
            refresh_expires_in=refresh_number,
            scope=readable_scope(scope, hidden),
            values=readable_values(values, hidden),
            api=readable_api(api, hidden),
            odd=names,
        )
    if new is None or new == sent:
        raise refusal or _no_token(access_token, "Nothing was stored, but the previous token may be dead.")
    error = refusal or _no_token(access_token, "Its new refresh token was kept.")
    return RefreshTokenOnly(refresh_token=new, error=error, refresh_expires_in=refresh_number, odd=names)


def nonsense(why: str, what_now: str) -> IssuerProtocolException:
    """Return the error for an answer that no issuer should give; ``what_now`` says what was stored and what to do."""
    return IssuerProtocolException(f"The issuer's answer makes no sense: {why}. {what_now}")


def _no_token(access_token: object, stored: str) -> IssuerProtocolException:
    why = "it holds no access token"
    if isinstance(access_token, str) and access_token.strip():
        long = len(access_token) > MAX_ACCESS_TOKEN_LENGTH
        why = "its access token is too long" if long else "no HTTP header can carry its access token"
    return nonsense(
        why, f"{stored} Try again; if this persists, the issuer has changed: look for a newer version of this stack."
    )

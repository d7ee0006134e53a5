"""How an issuer's token endpoint expects requests, and how to read its answers, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from refresh_token.oauth.refusals import RefusalRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What differs from issuer to issuer. `requests` adds the fields that each request has."""

    refresh_url: str
    refresh_fields: Mapping[str, str] = field(repr=False)
    code_url: str
    """Where a code is exchanged for the first pair."""

    code_fields: Mapping[str, str] = field(repr=False)
    client_auth: str
    """A method of `client_auth`."""

    rotates: bool
    """Whether an answer may replace the refresh token. The old one must then never be sent twice (RFC 9700, 4.14.2)."""

    default_lifetime: int
    """A token's assumed life in seconds if the answer states none."""

    refresh_refusals: RefusalRules
    refresh_margin: int = 0
    """How many seconds before a token's expiry the issuer begins to accept refreshes; 0 if it always does. The setting
    `refresh_margin_seconds` replaces it."""

    consent_page: str = ""
    """Where the end user allows the access; "" if only the operator knows."""

    scopes: tuple[str, ...] = ()
    """The scopes that a sign-in must ask for."""

    user_url: str = ""
    """Where a harmless GET with an access token tells whose it is; "" if there is no such call."""

    user_keys: tuple[str, ...] = ()
    """The keys of that answer that name the user, the best one first."""

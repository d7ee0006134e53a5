"""The token pair, and its form as the JSON of the secret. Pure.

Writes ``provider``, ``refreshToken`` and, where they are known, ``accessToken``, ``clientId``, ``expiresAt``,
``refreshedAt`` and ``refreshExpiresAt`` (when the refresh token, and with it the grant, ends). A refresh token alone is
a pair as well: the first refresh adds the access token. Also reads the raw answer of ExchangeCodeForToken
(``expiresIn``, counted from the creation of the secret's version) and Figma's own answer (``access_token``,
``refresh_token``, ``expires_in``). Keeps all other keys unchanged.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NoReturn

from refresh_token.core.text import MAX_ACCESS_TOKEN_LENGTH, is_access_token, is_refresh_token, is_text
from refresh_token.core.windows import MAX_LIFETIME, Expiry, iso_utc, read_expires_in
from refresh_token.errors import SecretMalformedException, SecretNotSeededException

if TYPE_CHECKING:
    from refresh_token.core.issued_token import Issued, IssuedToken, RefreshTokenOnly

PROVIDER: Final = "figma"
"""The only provider that the API supports. botocore's model lists it in an enum but does not check it."""

HOW_TO_SEED: Final = (
    "Sign in to Figma once, save the answer in a file and store it with "
    "`tokenctl seed --stage <stage> --from pair.json`."
)

_FIGMA_NAMES: Final = {"access_token": "accessToken", "refresh_token": "refreshToken", "expires_in": "expiresIn"}
_OUR_KEYS: Final = frozenset(
    {
        *("provider", "accessToken", "refreshToken", "clientId"),
        *("expiresAt", "refreshedAt", "expiresIn", "refreshExpiresAt"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPair:
    """The access and refresh token of one grant. Its repr shows neither them nor the client id."""

    access_token: str = field(repr=False)
    """Empty if only the refresh token is known. Then ``expires_at`` is None, so nobody takes it for a live token."""

    refresh_token: str = field(repr=False)
    client_id: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    refreshed_at: datetime | None = None
    refresh_expires_at: datetime | None = None
    """When the refresh token expires, if the issuer says so."""

    capped: bool = False
    """Whether the secret's expiry was cut down: it was more than MAX_LIFETIME after its version was created."""

    unknown: Mapping[str, object] = field(default_factory=dict, repr=False)
    """The secret's other keys, which are written back unchanged."""

    @property
    def lifetime(self) -> timedelta | None:
        """The access token's entire lifetime, if both of its ends are known and in order."""
        if self.expires_at is None or self.refreshed_at is None or self.refreshed_at >= self.expires_at:
            return None
        return self.expires_at - self.refreshed_at

    def has_refresh_token(self, token: str) -> bool:
        """Tell, in constant time, whether ``token`` is this pair's refresh token."""
        return hmac.compare_digest(token.encode(), self.refresh_token.encode())

    def refreshed(
        self, issued: "IssuedToken", *, client_id: str | None, expires_at: datetime, now: datetime
    ) -> "TokenPair":
        """Return the pair with the issued token. The refresh token stays unless the issuer sent a new one."""
        return replace(
            self,
            access_token=issued.access_token,
            refresh_token=issued.refresh_token or self.refresh_token,
            client_id=client_id,
            expires_at=expires_at,
            refreshed_at=now,
            refresh_expires_at=self._end_of_grant(issued, now),
            capped=False,
        )

    def with_refresh_token(self, issued: "RefreshTokenOnly", *, client_id: str | None, now: datetime) -> "TokenPair":
        """Return the pair after an answer with nothing but a new refresh token: its access token counts as dead."""
        expires_at = now if self.access_token else None
        return replace(
            self,
            refresh_token=issued.refresh_token,
            client_id=client_id,
            expires_at=expires_at,
            refresh_expires_at=self._end_of_grant(issued, now),
            capped=False,
        )

    def _end_of_grant(self, issued: "Issued", now: datetime) -> datetime | None:
        """Return when the refresh token expires after an answer. One that stays keeps its end if nothing is said."""
        said = issued.refresh_expires_at(now=now)
        stays = issued.refresh_token in (None, self.refresh_token)
        return self.refresh_expires_at if said is None and stays else said

    def to_json(self) -> str:
        """Return the pair as the secret's JSON."""
        document: dict[str, object] = {
            **self.unknown,
            "provider": PROVIDER,
            "refreshToken": self.refresh_token,
        }
        if self.access_token:
            document["accessToken"] = self.access_token
        if self.client_id is not None:
            document["clientId"] = self.client_id
        if self.expires_at is not None:
            document["expiresAt"] = iso_utc(self.expires_at)
        if self.refreshed_at is not None:
            document["refreshedAt"] = iso_utc(self.refreshed_at)
        if self.refresh_expires_at is not None:
            document["refreshExpiresAt"] = iso_utc(self.refresh_expires_at)
        return json.dumps(document)


def parse_pair(text: str, *, created: datetime) -> TokenPair:
    """Parse the text of the secret; ``created`` is when its version was created (UTC).

    Raises:
        SecretNotSeededException: the text is empty, or an object without any token.
        SecretMalformedException: the text is anything else but a token pair. The message names keys, never values.

    """
    document = _document(text)
    keys = {_FIGMA_NAMES.get(key, key): value for key, value in document.items()}
    for theirs, ours in _FIGMA_NAMES.items():
        if theirs in document and ours in document and document[theirs] != document[ours]:
            raise _malformed(f"`{ours}` and `{theirs}` differ")
    if keys.get("accessToken") is None and keys.get("refreshToken") is None:
        raise SecretNotSeededException(f"The secret holds no token pair yet. {HOW_TO_SEED}")
    if keys.get("provider", PROVIDER) != PROVIDER:
        raise _malformed(f"`provider` must be `{PROVIDER}`")
    expiry, refreshed_at = _life(keys, created)
    access_token = "" if keys.get("accessToken") is None else _access_token(keys["accessToken"])
    if not access_token:
        expiry, refreshed_at = None, None
    return TokenPair(
        access_token=access_token,
        refresh_token=_refresh_token(keys.get("refreshToken")),
        client_id=None if keys.get("clientId") is None else _text(keys, "clientId"),
        expires_at=expiry.at if expiry else None,
        refreshed_at=refreshed_at,
        refresh_expires_at=_time(keys, "refreshExpiresAt"),
        capped=expiry is not None and expiry.capped,
        unknown={key: value for key, value in keys.items() if key not in _OUR_KEYS},
    )


def _document(text: str) -> dict[str, object]:
    if not text.strip():
        raise SecretNotSeededException(f"The secret is empty. {HOW_TO_SEED}")
    try:
        document = json.loads(text, parse_constant=_reject_constant)
        # A document that cannot be written back must fail before the issuer is called, not after.
        json.dumps(document, allow_nan=False)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise _malformed("it is not a JSON object")
    return document


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are not JSON


def _life(keys: Mapping[str, object], created: datetime) -> tuple[Expiry | None, datetime | None]:
    """Return (expiry, refreshed_at). ``expiresAt`` takes precedence over ``expiresIn``."""
    expires_at, refreshed_at = _time(keys, "expiresAt"), _time(keys, "refreshedAt")
    expires_in = keys.get("expiresIn")
    if expires_at is not None:
        return _capped(Expiry(expires_at), created), refreshed_at
    if expires_in is None:
        return None, refreshed_at
    start = refreshed_at or created
    try:
        return _capped(read_expires_in(expires_in, counted_from=start), created), start
    except (ValueError, OverflowError):
        pass
    raise _malformed("`expiresIn` must be a positive whole number and must not reach beyond the year 9999")


def _capped(expiry: Expiry, created: datetime) -> Expiry:
    """Return the expiry, cut down to MAX_LIFETIME after the version was created."""
    latest = created + MAX_LIFETIME
    return Expiry(latest, capped=True) if expiry.at > latest else expiry


def _access_token(value: object) -> str:
    if is_access_token(value):
        return value
    raise _malformed(
        f"`accessToken` must be a string of at most {MAX_ACCESS_TOKEN_LENGTH} visible ASCII characters, without spaces "
        "or line breaks: no HTTP header can carry anything else"
    )


def _refresh_token(value: object) -> str:
    if is_refresh_token(value):
        return value
    raise _malformed(
        "`refreshToken` must be a non-empty string without control characters and without spaces around it"
    )


def _text(keys: Mapping[str, object], key: str) -> str:
    value = keys.get(key)
    if not isinstance(value, str) or not is_text(value):
        raise _malformed(f"`{key}` must be a non-empty string")
    return value


def _time(keys: Mapping[str, object], key: str) -> datetime | None:
    """Parse an ISO 8601 date and time; without an offset it is UTC."""
    value = keys.get(key)
    if value is None:
        return None
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
        if time is not None:
            return time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise _malformed(f"`{key}` must be an ISO 8601 date and time")


def _malformed(why: str) -> SecretMalformedException:
    return SecretMalformedException(f"The secret is not a token pair: {why}. Nothing was changed. {HOW_TO_SEED}")

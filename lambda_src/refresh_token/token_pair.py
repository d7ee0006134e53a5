"""The token pair, and reading and writing it as the JSON of the secret. Pure.

Written: ``provider``, ``accessToken``, ``refreshToken``, ``clientId`` (if known), ``expiresAt``, ``refreshedAt``.
Read, too: the raw answer of ExchangeCodeForToken (``expiresIn``, counted from the creation of the secret's version)
and Figma's own answer (``access_token``, ``refresh_token``, ``expires_in``). Other keys are kept as they are.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final, NoReturn

from refresh_token.errors import IssuerProtocolException, SecretMalformedException, SecretNotSeededException
from refresh_token.windows import MAX_LIFETIME, Expiry, iso_utc, read_expires_in

PROVIDER: Final = "figma"
"""The only provider that the API knows (botocore's model has it as an enum and does not check it)."""

HOW_TO_SEED: Final = (
    "Sign in to Figma once, put the answer into a file and store it with "
    "`tokenctl seed --stage <stage> --from pair.json`."
)

MAX_TOKEN_LENGTH: Final = 16_384
"""Characters that an issued token may have, written as JSON. No HTTP header takes a longer one, and the secret, which
holds 65 536 bytes (Secrets Manager quotas), has room for two of them and some keys besides."""

_FIGMA_NAMES: Final = {"access_token": "accessToken", "refresh_token": "refreshToken", "expires_in": "expiresIn"}
_OUR_KEYS: Final = frozenset(
    {"provider", "accessToken", "refreshToken", "clientId", "expiresAt", "refreshedAt", "expiresIn"}
)


def is_text(value: object) -> bool:
    """Tell whether ``value`` is a string that is not blank and can be sent: lone surrogates cannot be encoded."""
    if not isinstance(value, str) or not value.strip():
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _fits(token: str) -> bool:
    return len(json.dumps(token)) - len('""') <= MAX_TOKEN_LENGTH


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """What an issuer answered: the token, ``expires_in`` as sent, and a new refresh token should there be one."""

    access_token: str = field(repr=False)
    expires_in: int
    refresh_token: str | None = field(default=None, repr=False)

    @classmethod
    def from_answer(cls, access_token: object, expires_in: object, refresh_token: object = None) -> "IssuedToken":
        """Check the types of an issuer's answer.

        A refresh token that is no text, or too long, counts as none: the access token before this answer is dead
        already, so the new one must not be thrown away for the sake of a member that the API does not even promise.

        Raises:
            IssuerProtocolException: the access token is missing, no text or too long, or ``expires_in`` is no whole
                number.

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
        """Return when the token expires, read at ``now``.

        Raises:
            IssuerProtocolException: ``expires_in`` is zero, negative, or a moment that is not after ``now``.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPair:
    """Access and refresh token of one Figma grant. Its repr shows neither them nor the client id."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    client_id: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    refreshed_at: datetime | None = None
    capped: bool = False
    """Whether the secret claims a later expiry than is believed (MAX_LIFETIME after its version was created)."""

    unknown: Mapping[str, object] = field(default_factory=dict, repr=False)
    """The keys of the secret that are not ours; they are written back unchanged."""

    @property
    def lifetime(self) -> timedelta | None:
        """The whole life of the access token, where both ends are known and in order."""
        if self.expires_at is None or self.refreshed_at is None or self.refreshed_at >= self.expires_at:
            return None
        return self.expires_at - self.refreshed_at

    def has_refresh_token(self, token: str) -> bool:
        """Tell, in constant time, whether ``token`` is this pair's refresh token."""
        return hmac.compare_digest(token.encode(), self.refresh_token.encode())

    def refreshed(
        self, issued: IssuedToken, *, client_id: str | None, expires_at: datetime, now: datetime
    ) -> "TokenPair":
        """Return the pair with the issued token; the refresh token stays unless the issuer sent a new one."""
        return replace(
            self,
            access_token=issued.access_token,
            refresh_token=issued.refresh_token or self.refresh_token,
            client_id=client_id,
            expires_at=expires_at,
            refreshed_at=now,
            capped=False,
        )

    def to_json(self) -> str:
        """Return the JSON that the secret holds."""
        document: dict[str, object] = {
            **self.unknown,
            "provider": PROVIDER,
            "accessToken": self.access_token,
            "refreshToken": self.refresh_token,
        }
        if self.client_id is not None:
            document["clientId"] = self.client_id
        if self.expires_at is not None:
            document["expiresAt"] = iso_utc(self.expires_at)
        if self.refreshed_at is not None:
            document["refreshedAt"] = iso_utc(self.refreshed_at)
        return json.dumps(document)


def parse_pair(text: str, *, created: datetime) -> TokenPair:
    """Read the text of the secret; ``created`` is when its version was created (UTC).

    Raises:
        SecretNotSeededException: the text is empty, or an object without any token.
        SecretMalformedException: anything else that is not a token pair. The message names keys, never values.

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
    return TokenPair(
        access_token=_text(keys, "accessToken"),
        refresh_token=_text(keys, "refreshToken"),
        client_id=None if keys.get("clientId") is None else _text(keys, "clientId"),
        expires_at=expiry.at if expiry else None,
        refreshed_at=refreshed_at,
        capped=expiry is not None and expiry.capped,
        unknown={key: value for key, value in keys.items() if key not in _OUR_KEYS},
    )


def _document(text: str) -> dict[str, object]:
    if not text.strip():
        raise SecretNotSeededException(f"The secret is empty. {HOW_TO_SEED}")
    try:
        document = json.loads(text, parse_constant=_no_constant)
        # What cannot be written back must be found before the issuer is asked, not after.
        json.dumps(document, allow_nan=False)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise _malformed("it is not a JSON object")
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are not JSON


def _life(keys: Mapping[str, object], created: datetime) -> tuple[Expiry | None, datetime | None]:
    """Return (expiry, refreshed_at); ``expiresAt`` wins over ``expiresIn``."""
    expires_at, refreshed_at = _moment(keys, "expiresAt"), _moment(keys, "refreshedAt")
    expires_in = keys.get("expiresIn")
    if expires_at is not None:
        return _believed(Expiry(expires_at), created), refreshed_at
    if expires_in is None:
        return None, refreshed_at
    start = refreshed_at or created
    try:
        return _believed(read_expires_in(expires_in, counted_from=start), created), start
    except (ValueError, OverflowError):
        pass
    raise _malformed("`expiresIn` must be a positive whole number, and not end after the year 9999")


def _believed(expiry: Expiry, created: datetime) -> Expiry:
    """Return the expiry, but no later than a token lives which was new when the version was created."""
    longest = created + MAX_LIFETIME
    return Expiry(longest, capped=True) if expiry.at > longest else expiry


def _text(keys: Mapping[str, object], key: str) -> str:
    value = keys.get(key)
    if not isinstance(value, str) or not is_text(value):
        raise _malformed(f"`{key}` must be a non-empty string")
    return value


def _moment(keys: Mapping[str, object], key: str) -> datetime | None:
    """Read an ISO 8601 moment; one without an offset is UTC."""
    value = keys.get(key)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is not None:
            return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise _malformed(f"`{key}` must be an ISO 8601 date and time")


def _malformed(why: str) -> SecretMalformedException:
    return SecretMalformedException(f"The secret is not a token pair: {why}. Nothing was changed. {HOW_TO_SEED}")


def _nonsense(why: str) -> IssuerProtocolException:
    return IssuerProtocolException(
        f"The issuer's answer makes no sense: {why}. Nothing was stored, but the token before it may be dead. Ask "
        "again; if it stays, the issuer has changed: look for a newer version of this stack."
    )

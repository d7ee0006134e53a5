"""Reads the JSON of the secret. Pure.

The keys are ``provider``, ``refreshToken`` and, where they are known, ``accessToken``, ``clientId``, ``expiresAt``,
``refreshedAt``, ``refreshExpiresAt`` (when the refresh token, and with it the grant, ends), ``refreshExpiresSince``
(since when that is its end), ``grantedAt`` and ``issuedBy``, and what the provider said: ``scope``, ``values`` and
``api``. A refresh token alone is a pair as well: the first refresh adds the access token. The raw answer of
ExchangeCodeForToken (``expiresIn``, counted from the creation of the secret's version) and Figma's own answer
(``access_token``, ``refresh_token``, ``expires_in``) are pairs, too. All other keys are kept unchanged.

Instead of tokens there may be ``revokedAt``: when an operator revoked the grant with tokenctl. Or ``connection``: the
name of the connection of the stack's fleet that the pair has become (`tokenctl connections import`).

Which tokens a pair must have depends on what its issuer spends (`grants`): `parser_for` knows the function.
"""

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from refresh_token.core.grants import SPENDS, STATIC
from refresh_token.core.secret_keys import (
    HOW_TO_SEED,
    Keys,
    malformed,
    read_access_token,
    read_credential,
    read_document,
    read_issued_by,
    read_life,
    read_said,
    read_time,
)
from refresh_token.core.token_pair import PROVIDER, TokenPair
from refresh_token.core.windows import MAX_LIFETIME, iso_utc
from refresh_token.errors import (
    ReauthorizationRequiredException,
    SecretMalformedException,
    SecretNotSeededException,
)

if TYPE_CHECKING:
    from typing import Protocol

    class Parse(Protocol):
        """One of the functions below, for one provider."""

        def __call__(self, text: str, *, created: datetime) -> TokenPair:
            """Parse the text of the secret."""
            ...


NOT_SEEDED: Final = f"The secret holds no token pair yet. {HOW_TO_SEED}"
HOW_TO_EMPTY: Final = (
    "Run `tokenctl seed --stage <stage>` and give it `{}`: the next request or run of the schedule gets a new token."
)

_FIGMA_NAMES: Final = {"access_token": "accessToken", "refresh_token": "refreshToken", "expires_in": "expiresIn"}
REVOKED_AT: Final = "revokedAt"
MOVED_TO: Final = "connection"
NO_FLEET: Final = (
    "The secret says that its token pair has moved to the stack's fleet (`connection`), but this function knows no "
    "fleet. Deploy the stack with connections=true again, or take the pair back with `tokenctl connections export`."
)
OUR_KEYS: Final = frozenset(
    {
        *("provider", "accessToken", "refreshToken", "clientId", "issuedBy"),
        *(
            "expiresAt",
            "refreshedAt",
            "expiresIn",
            "refreshExpiresAt",
            "refreshExpiresSince",
            "grantedAt",
            REVOKED_AT,
            "scope",
            "values",
            "api",
        ),
    }
)


def parser_for(grant: str, provider: str, *, refreshable: bool = False) -> "Parse":
    """Return what parses the secret of a stack with this grant.

    ``refreshable``: a token that can be handed out, but not refreshed, is malformed.
    """
    if grant == STATIC:
        return partial(parse_static_token, provider=provider)
    if SPENDS[grant] == "nothing":
        return partial(parse_app_token, provider=provider)
    if SPENDS[grant] == "access_token":
        return partial(parse_exchanged_token, provider=provider)
    return partial(parse_pair if refreshable else parse_pair_or_token, provider=provider)


def parse_pair(text: str, *, created: datetime, provider: str = PROVIDER) -> TokenPair:
    """Parse the text of the secret; ``created`` is when its version was created (UTC).

    Raises:
        SecretNotSeededException: the text is empty, or an object without any token.
        ReauthorizationRequiredException: it says that the grant was revoked.
        SecretMalformedException: the text is anything else but a token pair of ``provider``. The message names keys,
            never values.

    """
    keys = _keys(text, provider)
    token = _token(keys, created)
    return _pair(keys, **token, stored_at=created, refresh_token=read_credential(keys, "refreshToken"))


def parse_exchanged_token(text: str, *, created: datetime, provider: str = PROVIDER) -> TokenPair:
    """Parse the text of the secret if the access token itself is exchanged for the next one, while it lives.

    So the grant ends with it. A refresh token is not used; its key is kept. Raises the same errors as `parse_pair`.
    """
    keys = _keys(text, provider)
    read_access_token(keys)
    token = _token(keys, created)
    return _pair(keys, _unused(keys), **token, stored_at=created, refresh_expires_at=token["expires_at"])


def parse_app_token(text: str, *, created: datetime, provider: str = PROVIDER) -> TokenPair:
    """Parse the text of the secret if the app's credentials are enough to get a token. It may be empty.

    Raises:
        SecretMalformedException: the text is anything else, or holds a refresh token, so that its access token is a
            person's, not the app's.

    """
    try:
        keys = _keys(text, provider, may_be_empty=True)
        if keys.get("refreshToken") is None:
            return _pair(keys, **_token(keys, created), stored_at=created)
        fault = malformed("its `refreshToken` is of another grant than this stack's, which has none")
    except SecretMalformedException as error:
        fault = error
    fault.args = (str(fault).replace(HOW_TO_SEED, HOW_TO_EMPTY),)
    raise fault


def parse_static_token(text: str, *, created: datetime, provider: str = PROVIDER) -> TokenPair:
    """Parse the text of the secret if it holds a token that a person renews, which must say when it ends.

    A refresh token is not used; its key is kept. Raises the same errors as `parse_pair`.
    """
    keys = _keys(text, provider)
    expiry, refreshed_at = read_life(keys, created, None)
    access_token = read_access_token(keys)
    if expiry is None:
        raise malformed("`expiresAt` must say when the token ends, or when you want to be reminded of it")
    return _pair(keys, _unused(keys), access_token=access_token, expires_at=expiry.at, refreshed_at=refreshed_at)


def parse_pair_or_token(text: str, *, created: datetime, provider: str = PROVIDER) -> TokenPair:
    """Parse a pair, or a token with its end but without a refresh token, as a stack with ``issuer=static`` leaves it.

    Such a token can still be handed out, but not refreshed. Raises the same errors as `parse_pair`.
    """
    try:
        return parse_pair(text, created=created, provider=provider)
    except SecretMalformedException as error:
        fault = error
    keys = _keys(text, provider)  # outside the block, so that no error hides another one
    if keys.get("refreshToken") is not None or keys.get("accessToken") is None or not _tells_end(keys):
        raise fault
    return parse_static_token(text, created=created, provider=provider)


def _tells_end(keys: Keys) -> bool:
    return keys.get("expiresAt") is not None or keys.get("expiresIn") is not None


def _keys(text: str, provider: str, *, may_be_empty: bool = False) -> Keys:
    """Return the secret's keys under our names. If it does not say whose they are, they count as the provider's."""
    document = read_document(text)
    keys = {_FIGMA_NAMES.get(key, key): value for key, value in document.items()}
    for theirs, ours in _FIGMA_NAMES.items():
        if theirs in document and ours in document and document[theirs] != document[ours]:
            raise malformed(f"`{ours}` and `{theirs}` differ")
    if keys.get("accessToken") is None and keys.get("refreshToken") is None:
        if isinstance(name := keys.get(MOVED_TO), str):
            raise _moved(name)
        if not may_be_empty:
            raise _revoked(at) if (at := read_time(keys, REVOKED_AT)) else SecretNotSeededException(NOT_SEEDED)
    if keys.setdefault("provider", provider) != provider:
        raise malformed(f"`provider` must be `{provider}`, the provider of this stack")
    return keys


def _moved(name: str) -> SecretMalformedException:
    error = SecretMalformedException(NO_FLEET)
    error.moved_to = name
    return error


def _revoked(at: datetime) -> ReauthorizationRequiredException:
    when = iso_utc(at)
    error = ReauthorizationRequiredException(f"The grant was revoked with `tokenctl revoke` on {when}. {HOW_TO_SEED}")
    error.revoked = True
    return error


def _token(keys: Keys, created: datetime) -> dict[str, Any]:
    """Return the access token and its life, as fields of the pair. Without one there is no life either."""
    expiry, refreshed_at = read_life(keys, created, MAX_LIFETIME)
    if keys.get("accessToken") is None:
        return {"access_token": "", "expires_at": None}
    return {
        "access_token": read_access_token(keys),
        "expires_at": expiry.at if expiry else None,
        "refreshed_at": refreshed_at,
        "capped": expiry is not None and expiry.capped,
    }


def _unused(keys: Keys) -> dict[str, object]:
    return {"refreshToken": keys["refreshToken"]} if "refreshToken" in keys else {}


def _pair(keys: Keys, kept: Keys | None = None, **facts: Any) -> TokenPair:  # noqa: ANN401 - fields of the pair
    """Return a pair with these facts, what the other keys say, and the keys that are only ``kept``."""
    tokens = {"refresh_token": "", **facts}
    scope, values, api = read_said(keys, tokens["access_token"], tokens["refresh_token"])
    read: dict[str, Any] = {
        "provider": keys["provider"],
        "scope": scope,
        "values": values,
        "api": api,
        "client_id": None if keys.get("clientId") is None else read_credential(keys, "clientId"),
        "refresh_expires_at": read_time(keys, "refreshExpiresAt"),
        "refresh_expires_since": read_time(keys, "refreshExpiresSince"),
        "granted_at": read_time(keys, "grantedAt"),
        "issued_by": read_issued_by(keys.get("issuedBy")),
        "unknown": {**{key: value for key, value in keys.items() if key not in OUR_KEYS}, **(kept or {})},
    }
    return TokenPair(**{**read, **tokens})

"""Reads the JSON of the secret. Pure.

The keys are ``provider``, ``refreshToken`` and, where they are known, ``accessToken``, ``clientId``, ``expiresAt``,
``refreshedAt``, ``refreshExpiresAt`` (when the refresh token, and with it the grant, ends), ``grantedAt`` and
``issuedBy``, and what the provider said: ``scope``, ``values`` and ``api``. A refresh token alone is a pair as well:
the first refresh adds the access token. The raw answer of ExchangeCodeForToken (``expiresIn``, counted from the
creation of the secret's version) and Figma's own answer (``access_token``, ``refresh_token``, ``expires_in``) are
pairs, too. All other keys are kept unchanged.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NoReturn

from refresh_token.core.issued_by import IssuedBy, parse_issued_by
from refresh_token.core.text import CREDENTIAL_RULE, MAX_ACCESS_TOKEN_LENGTH, is_access_token, is_credential
from refresh_token.core.token_pair import PROVIDER, TokenPair
from refresh_token.core.values import Api, Value, readable_api, readable_scope, readable_values
from refresh_token.core.windows import MAX_LIFETIME, Expiry, read_expires_in, whole_number
from refresh_token.errors import SecretMalformedException, SecretNotSeededException

HOW_TO_SEED: Final = (
    "Sign in with `tokenctl authorize --stage <stage>`, or store a pair that you have with "
    "`tokenctl seed --stage <stage>`."
)

_FIGMA_NAMES: Final = {"access_token": "accessToken", "refresh_token": "refreshToken", "expires_in": "expiresIn"}
_OUR_KEYS: Final = frozenset(
    {
        *("provider", "accessToken", "refreshToken", "clientId", "issuedBy"),
        *("expiresAt", "refreshedAt", "expiresIn", "refreshExpiresAt", "grantedAt", "scope", "values", "api"),
    }
)


def parse_pair(text: str, *, created: datetime, provider: str = PROVIDER) -> TokenPair:
    """Parse the text of the secret; ``created`` is when its version was created (UTC).

    Raises:
        SecretNotSeededException: the text is empty, or an object without any token.
        SecretMalformedException: the text is anything else but a token pair of ``provider``. The message names keys,
            never values.

    """
    keys = _keys(text, provider)
    expiry, refreshed_at = _life(keys, created, MAX_LIFETIME)
    access_token = "" if keys.get("accessToken") is None else _access_token(keys["accessToken"])
    if not access_token:
        expiry, refreshed_at = None, None
    _require(keys, "refreshToken")
    return _pair(
        keys,
        stored_at=created,
        access_token=access_token,
        refresh_token=_credential(keys, "refreshToken"),
        expires_at=expiry.at if expiry else None,
        refreshed_at=refreshed_at,
        capped=expiry is not None and expiry.capped,
    )


def parse_static_token(text: str, *, created: datetime, provider: str = PROVIDER) -> TokenPair:
    """Parse the text of the secret if it holds a token that a person renews, which must say when it ends.

    A refresh token is not used; its key is kept like an unknown one. Raises the same errors as `parse_pair`.
    """
    keys = _keys(text, provider)
    expiry, refreshed_at = _life(keys, created, None)
    _require(keys, "accessToken")
    access_token = _access_token(keys["accessToken"])
    if expiry is None:
        raise _malformed("`expiresAt` must say when the token ends, or when you want to be reminded of it")
    kept = {"refreshToken": keys["refreshToken"]} if "refreshToken" in keys else {}
    return _pair(
        keys, kept, access_token=access_token, refresh_token="", expires_at=expiry.at, refreshed_at=refreshed_at
    )


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


def _tells_end(keys: Mapping[str, object]) -> bool:
    return keys.get("expiresAt") is not None or keys.get("expiresIn") is not None


def _keys(text: str, provider: str) -> dict[str, object]:
    """Return the secret's keys under our names. If it does not say whose they are, they count as the provider's."""
    document = _document(text)
    keys = {_FIGMA_NAMES.get(key, key): value for key, value in document.items()}
    for theirs, ours in _FIGMA_NAMES.items():
        if theirs in document and ours in document and document[theirs] != document[ours]:
            raise _malformed(f"`{ours}` and `{theirs}` differ")
    if keys.get("accessToken") is None and keys.get("refreshToken") is None:
        raise SecretNotSeededException(f"The secret holds no token pair yet. {HOW_TO_SEED}")
    if keys.setdefault("provider", provider) != provider:
        raise _malformed(f"`provider` must be `{provider}`, the provider of this stack")
    return keys


def _pair(keys: Mapping[str, object], kept: Mapping[str, object] | None = None, **facts: Any) -> TokenPair:  # noqa: ANN401 - fields of the pair
    """Return a pair with these facts, what the other keys say, and the keys that are only ``kept``."""
    scope, values, api = _said(keys, facts)
    return TokenPair(
        provider=str(keys["provider"]),
        scope=scope,
        values=values,
        api=api,
        client_id=None if keys.get("clientId") is None else _credential(keys, "clientId"),
        refresh_expires_at=_time(keys, "refreshExpiresAt"),
        granted_at=_time(keys, "grantedAt"),
        issued_by=_issued_by(keys.get("issuedBy")),
        unknown={**{key: value for key, value in keys.items() if key not in _OUR_KEYS}, **(kept or {})},
        **facts,
    )


def _said(keys: Mapping[str, object], facts: Mapping[str, object]) -> tuple[str | None, dict[str, Value], Api]:
    """Return what the provider said: its scope, values and API, without what holds a token: consumers see them.

    Only refreshes write `api`, perhaps of a later release. So what cannot be used in it counts as missing.
    """
    scope, values, api = (keys.get(key) or None for key in ("scope", "values", "api"))
    if scope is not None and readable_scope(scope) is None:
        raise _malformed("`scope` must be a text, or a list of texts")
    if readable_values(values) != (values or {}):
        raise _malformed("`values` must be an object of texts and numbers")
    tokens = (str(facts["access_token"]), str(facts["refresh_token"]))
    return readable_scope(scope, tokens), readable_values(values, tokens), readable_api(api, tokens)


def _document(text: str) -> dict[str, object]:
    text = text.removeprefix("\ufeff").strip()  # editors and shells of Windows write a byte order mark
    if not text:
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


def _life(
    keys: Mapping[str, object], created: datetime, max_lifetime: timedelta | None
) -> tuple[Expiry | None, datetime | None]:
    """Return (expiry, refreshed_at). ``expiresAt`` takes precedence over ``expiresIn``."""
    expires_at, refreshed_at = _time(keys, "expiresAt"), _time(keys, "refreshedAt")
    expires_in = keys.get("expiresIn")
    if expires_at is not None:
        return _capped(Expiry(expires_at), created, max_lifetime), refreshed_at
    if expires_in is None:
        return None, refreshed_at
    start = refreshed_at or created
    try:
        expiry = read_expires_in(whole_number(expires_in), counted_from=start, max_lifetime=max_lifetime)
        return _capped(expiry, created, max_lifetime), start
    except (ValueError, OverflowError):
        pass
    raise _malformed("`expiresIn` must be a positive whole number and must not reach beyond the year 9999")


def _capped(expiry: Expiry, created: datetime, max_lifetime: timedelta | None) -> Expiry:
    """Return the expiry, cut down to a lifetime after the version was created, if there is one."""
    if max_lifetime is None or expiry.at <= created + max_lifetime:
        return expiry
    return Expiry(created + max_lifetime, capped=True)


def _require(keys: Mapping[str, object], key: str) -> None:
    if keys.get(key) is None:
        raise _malformed(f"`{key}` is missing")


def _access_token(value: object) -> str:
    if is_access_token(value):
        return value
    raise _malformed(
        f"`accessToken` must be a string of at most {MAX_ACCESS_TOKEN_LENGTH} visible ASCII characters, without spaces "
        "or line breaks: no HTTP header can carry anything else"
    )


def _credential(keys: Mapping[str, object], key: str) -> str:
    value = keys.get(key)
    if is_credential(value):
        return value
    raise _malformed(f"`{key}` {CREDENTIAL_RULE}")


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


def _issued_by(value: object) -> IssuedBy | None:
    try:
        return None if value is None else parse_issued_by(value)
    except ValueError as error:
        fault = str(error)
    raise _malformed(fault)


def _malformed(why: str) -> SecretMalformedException:
    return SecretMalformedException(f"The secret is not a token pair: {why}. Nothing was changed. {HOW_TO_SEED}")

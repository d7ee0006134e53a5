"""Reads single keys of the secret's JSON. Pure.

Each function raises SecretMalformedException if it cannot; the message names the key, never its value.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NoReturn

from refresh_token.core.issued_by import IssuedBy, parse_issued_by
from refresh_token.core.text import CREDENTIAL_RULE, MAX_ACCESS_TOKEN_LENGTH, is_access_token, is_credential
from refresh_token.core.values import Api, Value, readable_api, readable_scope, readable_values
from refresh_token.core.windows import Expiry, read_expires_in, whole_number
from refresh_token.errors import SecretMalformedException

HOW_TO_SEED: Final = (
    "Sign in with `tokenctl authorize --stage <stage>`, or store a pair that you have with "
    "`tokenctl seed --stage <stage>`."
)

Keys = Mapping[str, object]


def read_document(text: str) -> dict[str, object]:
    """Return the object that the secret's text holds, an empty one if the text is empty."""
    text = text.removeprefix("\ufeff").strip()  # editors and shells of Windows write a byte order mark
    try:
        document = json.loads(text or "{}", parse_constant=_reject_constant)
        # A document that cannot be written back must fail before the issuer is called, not after.
        json.dumps(document, allow_nan=False)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise malformed("it is not a JSON object")
    return document


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are not JSON


def read_life(keys: Keys, created: datetime, max_lifetime: timedelta | None) -> tuple[Expiry | None, datetime | None]:
    """Return (expiry, refreshed_at). ``expiresAt`` takes precedence over ``expiresIn``."""
    expires_at, refreshed_at = read_time(keys, "expiresAt"), read_time(keys, "refreshedAt")
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
    raise malformed("`expiresIn` must be a positive whole number and must not reach beyond the year 9999")


def _capped(expiry: Expiry, created: datetime, max_lifetime: timedelta | None) -> Expiry:
    """Return the expiry, cut down to a lifetime after the version was created, if there is one."""
    if max_lifetime is None or expiry.at <= created + max_lifetime:
        return expiry
    return Expiry(created + max_lifetime, capped=True)


def read_access_token(keys: Keys) -> str:
    """Return the access token, which must be there."""
    value = keys.get("accessToken")
    if value is None:
        raise malformed("`accessToken` is missing")
    if is_access_token(value):
        return value
    raise malformed(
        f"`accessToken` must be a string of at most {MAX_ACCESS_TOKEN_LENGTH} visible ASCII characters, without spaces "
        "or line breaks: no HTTP header can carry anything else"
    )


def read_credential(keys: Keys, key: str) -> str:
    """Return a refresh token or a client id, which must be there."""
    value = keys.get(key)
    if value is None:
        raise malformed(f"`{key}` is missing")
    if is_credential(value):
        return value
    raise malformed(f"`{key}` {CREDENTIAL_RULE}")


def read_time(keys: Keys, key: str) -> datetime | None:
    """Return an ISO 8601 date and time; without an offset it is UTC."""
    value = keys.get(key)
    if value is None:
        return None
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
        if time is not None:
            return time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise malformed(f"`{key}` must be an ISO 8601 date and time")


def read_issued_by(value: object) -> IssuedBy | None:
    """Return whose the pair is, None if the secret does not say."""
    try:
        return None if value is None else parse_issued_by(value)
    except ValueError as error:
        fault = str(error)
    raise malformed(fault)


def read_said(keys: Keys, *tokens: str) -> tuple[str | None, dict[str, Value], Api]:
    """Return what the provider said: its scope, values and API, without what holds a token: consumers see them.

    Only refreshes write ``api``, perhaps of a later release. So what cannot be used in it counts as missing.
    """
    scope, values, api = (keys.get(key) or None for key in ("scope", "values", "api"))
    if scope is not None and readable_scope(scope) is None:
        raise malformed("`scope` must be a text, or a list of texts")
    if readable_values(values) != (values or {}):
        raise malformed("`values` must be an object of texts and numbers")
    return readable_scope(scope, tokens), readable_values(values, tokens), readable_api(api, tokens)


def malformed(why: str) -> SecretMalformedException:
    """Return the error for a secret that is no pair."""
    return SecretMalformedException(f"The secret is not a token pair: {why}. Nothing was changed. {HOW_TO_SEED}")

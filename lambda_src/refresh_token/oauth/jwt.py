"""What a JWT (RFC 7519) of a profile holds, and how its signature is written (RFC 7515). Who signs it is elsewhere."""

import hmac
import json
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Final

from refresh_token.oauth.profile_requests import Jwt
from refresh_token.oauth.templates import fill, fill_in

MAX_EARLIER: Final = 60
"""Seconds that `iat` may lie in the past, because the provider's clock may be slow (GitHub recommends 60)."""

_ECDSA_BYTES: Final = {"ES256": 32, "ES384": 48, "ES512": 66}
"""The length of each of the two numbers in a signature (RFC 7518, 3.4)."""

_SEQUENCE, _INTEGER = 0x30, 0x02
_LONG_FORM: Final = 0x80


def claims_of(jwt: Jwt, values: Mapping[str, str], *, now: int, unique: str) -> dict[str, Any]:
    """Return the claims; `now` is in seconds since 1970, `unique` becomes `jti`. Raises ValueError for a missing value.

    The profile's own claims replace `iat`, `exp` and `jti`.
    """
    issued_at = now - min(MAX_EARLIER, jwt.lifetime_seconds // 5)
    return {
        "iat": issued_at,
        "exp": issued_at + jwt.lifetime_seconds,
        "jti": unique,
        **fill_in(jwt.claims, values),
    }


def signing_input(jwt: Jwt, values: Mapping[str, str], claims: Mapping[str, Any]) -> str:
    """Return what is signed. Raises ValueError for a missing value."""
    header = {"alg": jwt.alg, "typ": "JWT", **fill_in(jwt.header, values)}
    return f"{_encoded(json.dumps(header).encode())}.{_encoded(json.dumps(claims).encode())}"


def with_signature(jwt: Jwt, text: str, signature: bytes) -> str:
    """Return the JWT. A signature of ECDSA comes in DER, as KMS has it, and is written as two numbers."""
    size = _ECDSA_BYTES.get(jwt.alg)
    return f"{text}.{_encoded(_two_numbers(signature, size) if size else signature)}"


def shared_signature(jwt: Jwt, values: Mapping[str, str], text: str) -> bytes:
    """Return the signature with the secret that both sides have (RFC 7518, 3.2).

    Raises:
        ValueError: the secret is missing, or not written as the profile says. The message does not show it.

    """
    secret = fill(jwt.secret, values)
    try:
        key = {"utf8": str.encode, "hex": bytes.fromhex, "base64": b64decode}[jwt.secret_encoding](secret)
    except ValueError:
        key = b""
    if not key:
        raise ValueError(f"the key of the JWT is not {jwt.secret_encoding}")
    return hmac.new(key, text.encode(), f"sha{jwt.alg[2:]}").digest()


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _two_numbers(der: bytes, size: int) -> bytes:
    """Return the two numbers of an ECDSA signature (RFC 3279, 2.2.3), each in `size` bytes."""
    body, rest = _value(der, _SEQUENCE)
    first, others = _value(body, _INTEGER)
    second, more = _value(others, _INTEGER)
    if rest or more:
        raise ValueError("the signature is no ECDSA signature")
    return b"".join(int.from_bytes(number).to_bytes(size) for number in (first, second))


def _value(der: bytes, tag: int) -> tuple[bytes, bytes]:
    """Return the value of the first element, which must have this tag, and what follows it."""
    if len(der) < 2 or der[0] != tag:  # noqa: PLR2004 - a tag and a length
        raise ValueError("the signature is no ECDSA signature")
    length, start = der[1], 2
    if length >= _LONG_FORM:
        start += length - _LONG_FORM
        length = int.from_bytes(der[2:start])
    return der[start : start + length], der[start + length :]

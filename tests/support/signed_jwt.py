"""Verifies a JSON Web Token (RFC 7519) as the one who gets it does."""

import base64
import json
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature


def verified(token: str, key: PublicKeyTypes, alg: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims. Raises what `cryptography` raises if the signature is not the key's."""
    signing_input, _, signature = token.rpartition(".")
    header, claims = (json.loads(_decoded(part)) for part in signing_input.split("."))
    assert header["alg"] == alg
    _verify(_decoded(signature), signing_input.encode(), key, alg)
    return header, claims


def _verify(signature: bytes, message: bytes, key: PublicKeyTypes, alg: str) -> None:
    if isinstance(key, rsa.RSAPublicKey):
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        key.verify(signature, message, pss if alg == "PS256" else padding.PKCS1v15(), hashes.SHA256())
    else:
        assert isinstance(key, ec.EllipticCurvePublicKey)
        half = len(signature) // 2
        pair = (int.from_bytes(part) for part in (signature[:half], signature[half:]))
        key.verify(encode_dss_signature(*pair), message, ec.ECDSA(hashes.SHA256()))


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))

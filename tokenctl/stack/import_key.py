"""Importing an app's private key into the KMS key that signs for it. The key never leaves this process unencrypted.

AWS KMS Developer Guide, "Importing key material": a private key is too long for RSA alone, so a new AES key wraps it
(RFC 5649), and the public key of KMS encrypts that AES key.
"""

import os
from collections.abc import Callable
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)

from tokenctl.errors import ServiceError, TokenctlError, UsageError
from tokenctl.stack.aws_access import AwsAccess
from tokenctl.stack.aws_errors import translate_aws_errors

PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey

_CURVES: Final = {"secp256r1": "ECC_NIST_P256", "secp384r1": "ECC_NIST_P384", "secp521r1": "ECC_NIST_P521"}
"""What KMS calls each curve."""

_WRAPPING: Final = "RSA_AES_KEY_WRAP_SHA_256"
_NOTHING_IMPORTED: Final = "Nothing was imported."


def read_private_key(pem: bytes, ask: Callable[[], str]) -> PrivateKey:
    """Return the key in a PEM file (PKCS#1, PKCS#8 or SEC 1); `ask` returns the passphrase of an encrypted one.

    Raises:
        UsageError: the file holds no such key, or the passphrase is wrong. The message shows nothing of it.

    """
    try:
        try:
            key = load_pem_private_key(pem, None)
        except TypeError:  # it is encrypted
            key = load_pem_private_key(pem, ask().encode())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        return key
    raise UsageError(
        "The file holds no private key that can be read: it must be PEM with an RSA or EC key, and the passphrase of "
        f"an encrypted one must be right. {_NOTHING_IMPORTED}"
    )


def kind_of(key: PrivateKey) -> str:
    """Return what KMS calls keys of this kind."""
    return f"RSA_{key.key_size}" if isinstance(key, RSAPrivateKey) else _CURVES.get(key.curve.name, key.curve.name)


def import_key(aws: AwsAccess, arn: str, key: PrivateKey) -> None:
    """Import a private key into a KMS key, and compare the public key that KMS then has.

    Raises:
        UsageError: the KMS key is for another kind of key.
        TokenctlError: KMS refuses, or has another key afterwards.

    """
    client = aws.client("kms")
    with translate_aws_errors():
        wanted = str(client.describe_key(KeyId=arn)["KeyMetadata"]["KeySpec"])
    if kind_of(key) != wanted:
        raise UsageError(
            f"The stack needs a key of the kind {wanted}, and this one is {kind_of(key)}. {_NOTHING_IMPORTED}"
        )
    with translate_aws_errors():
        parameters = client.get_parameters_for_import(
            KeyId=arn, WrappingAlgorithm=_WRAPPING, WrappingKeySpec="RSA_4096"
        )
    try:
        with translate_aws_errors():
            client.import_key_material(
                KeyId=arn,
                ImportToken=parameters["ImportToken"],
                EncryptedKeyMaterial=_wrapped(key, parameters["PublicKey"]),
                ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
            )
    except ServiceError as error:
        if error.code != "IncorrectKeyMaterialException":
            raise
        raise ServiceError(
            "The stack's key holds another private key, and KMS takes no second one into it. Raise issuer_key_number "
            f"by one, deploy, and import the key again. {_NOTHING_IMPORTED}"
        ) from None
    _check(client, arn, key)


def _wrapped(key: PrivateKey, public_key: bytes) -> bytes:
    material = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    theirs, aes_key = load_der_public_key(public_key), os.urandom(32)
    if not isinstance(theirs, RSAPublicKey):
        raise TokenctlError(f"KMS's answer makes no sense: it holds no RSA key. {_NOTHING_IMPORTED}")
    encrypted = theirs.encrypt(aes_key, OAEP(MGF1(hashes.SHA256()), hashes.SHA256(), None))
    return encrypted + aes_key_wrap_with_padding(aes_key, material)


def _check(client: Any, arn: str, key: PrivateKey) -> None:  # noqa: ANN401 - a boto3 client
    ours = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with translate_aws_errors():
        theirs = client.get_public_key(KeyId=arn)["PublicKey"]
    if theirs != ours:
        raise TokenctlError("KMS has another public key than the file's private key. Import the key again.")

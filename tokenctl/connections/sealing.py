"""Sealing tokens with the fleet's key, as its functions do."""

from collections.abc import Iterable
from typing import Final

from tokenctl.connections.fleet import Fleet
from tokenctl.errors import TokenctlError
from tokenctl.stack.aws_errors import translate_aws_errors

PIECE: Final = 4096
"""Bytes that KMS encrypts at once (AWS KMS API reference, Encrypt)."""


class Seal:
    """Encrypts and decrypts a connection's tokens. A ciphertext opens only for the connection that it was made for."""

    def __init__(self, fleet: Fleet) -> None:
        self._key = fleet.key_arn
        self._client = fleet.client("kms")

    def seal(self, name: str, token: str) -> tuple[bytes, ...]:
        """Return the ciphertext of a token, in pieces; raises ServiceError or ConfigurationError."""
        plain = token.encode()
        with translate_aws_errors((token,)):
            return tuple(
                self._client.encrypt(
                    KeyId=self._key, Plaintext=plain[start : start + PIECE], EncryptionContext={"connection": name}
                )["CiphertextBlob"]
                for start in range(0, len(plain), PIECE)
            )

    def open(self, name: str, pieces: Iterable[bytes]) -> str:
        """Return the token in the pieces.

        Raises:
            ServiceError, ConfigurationError: KMS refuses.
            TokenctlError: the pieces hold no text.

        """
        with translate_aws_errors():
            plain = b"".join(
                self._client.decrypt(KeyId=self._key, CiphertextBlob=piece, EncryptionContext={"connection": name})[
                    "Plaintext"
                ]
                for piece in pieces
            )
        try:
            return plain.decode()
        except UnicodeDecodeError:
            pass
        raise TokenctlError(f"The refresh token of {name} is no text. Seed the connection again.")

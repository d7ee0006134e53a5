"""Sealing tokens with the fleet's key, as its functions do."""

from collections.abc import Iterable

from refresh_token.fleet.sealing import context_of, pieces_of, token_of
from tokenctl.connections.fleet import Fleet
from tokenctl.errors import TokenctlError
from tokenctl.stack.aws_errors import translate_aws_errors


class Seal:
    """Encrypts and decrypts a connection's tokens. A ciphertext opens only for the connection that it was made for."""

    def __init__(self, fleet: Fleet) -> None:
        self._key = fleet.key_arn
        self._client = fleet.client("kms")

    def seal(self, name: str, token: str) -> tuple[bytes, ...]:
        """Return the ciphertext of a token, in pieces; raises ServiceError or ConfigurationError."""
        with translate_aws_errors((token,)):
            return tuple(
                self._client.encrypt(KeyId=self._key, Plaintext=piece, EncryptionContext=context_of(name))[
                    "CiphertextBlob"
                ]
                for piece in pieces_of(token)
            )

    def open(self, name: str, pieces: Iterable[bytes]) -> str:
        """Return the token in the pieces.

        Raises:
            ServiceError, ConfigurationError: KMS refuses.
            TokenctlError: the pieces hold no text.

        """
        with translate_aws_errors():
            plain = [
                self._client.decrypt(KeyId=self._key, CiphertextBlob=piece, EncryptionContext=context_of(name))[
                    "Plaintext"
                ]
                for piece in pieces
            ]
        try:
            return token_of(plain)
        except UnicodeDecodeError:
            pass
        raise TokenctlError(f"A token of {name} is no text. Seed the connection again.")

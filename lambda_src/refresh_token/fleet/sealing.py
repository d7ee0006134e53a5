"""How a token is cut for encryption by KMS, and bound to its connection. Pure."""

from collections.abc import Iterable
from typing import Final

MAX_PIECE: Final = 4096
"""Bytes that KMS encrypts at once (AWS KMS API reference, Encrypt)."""


def pieces_of(token: str) -> tuple[bytes, ...]:
    """Return a token in pieces that KMS takes."""
    plain = token.encode()
    return tuple(plain[start : start + MAX_PIECE] for start in range(0, len(plain), MAX_PIECE))


def token_of(pieces: Iterable[bytes]) -> str:
    """Return the token that these pieces are of; raises UnicodeDecodeError (a ValueError) if it is no text."""
    return b"".join(pieces).decode()


def context_of(connection: str) -> dict[str, str]:
    """Return the encryption context: a ciphertext opens only for the connection that it was made for."""
    return {"connection": connection}

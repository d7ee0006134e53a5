"""What the auth adapters need from a client. Any object with these methods works, such as a fake in a test."""

from typing import Protocol

from token_client.tokens import Token


class TokenSource(Protocol):
    """A source of tokens. `TokenClient` is one.

    The methods may take a ``timeout`` in seconds. A method ``token_in_memory``, which returns a token or None without
    waiting, saves async code a thread.
    """

    def get_token(self) -> Token:
        """Return a live token."""
        ...

    def report_failure(self, token: Token) -> Token:
        """Note that the issuer's API rejected this token, and return one that works."""
        ...

    def look_again(self, token: Token) -> Token:
        """Return the current token, which may still be this one, without reporting anything."""
        ...

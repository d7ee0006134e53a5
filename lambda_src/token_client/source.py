"""What an HTTP library's auth needs of a client: anything with these methods will do, a fake in a test for instance."""

from typing import Protocol

from token_client.tokens import Token


class TokenSource(Protocol):
    """Where tokens come from. `TokenClient` is one."""

    def get_token(self) -> Token:
        """Return a live token."""
        ...

    def report_failure(self, token: Token) -> Token:
        """Take note that the issuer's API rejected this very token; return one that works."""
        ...

    def look_again(self, token: Token) -> Token:
        """Return the token that is current now, which may still be this one. Nothing is reported."""
        ...

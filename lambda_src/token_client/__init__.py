"""The client of the refresh function, for other Lambdas: a live Figma access token, and one that works in its place."""

from token_client.client import TokenClient
from token_client.errors import TokenClientError
from token_client.source import TokenSource
from token_client.tokens import Token

__all__ = ["Token", "TokenClient", "TokenClientError", "TokenSource"]

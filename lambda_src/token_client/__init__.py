"""The client of the refresh function, for other Lambdas: get a live access token, replace a rejected one."""

from token_client.client import TokenClient
from token_client.clients import TokenClients
from token_client.errors import TokenClientError
from token_client.source import TokenSource
from token_client.tokens import Api, Token

__all__ = ["Api", "Token", "TokenClient", "TokenClientError", "TokenClients", "TokenSource"]
__version__ = "0.2.0"

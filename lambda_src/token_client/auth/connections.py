"""An auth for each connection of a fleet: ``auth=ConnectionAuths(clients, TokenAuth).connection("acme/u1")``."""

from collections.abc import Callable
from typing import Generic, TypeVar

from token_client.client import TokenClient
from token_client.clients import MAX_CLIENTS, TokenClients
from token_client.pool import Pool

T = TypeVar("T")


class ConnectionAuths(Generic[T]):
    """Keeps an auth for each of the `max_connections` connections that were used last.

    `make` makes an auth for a client: `TokenAuth` or `TokenPool`, or a function that also passes `hosts`. An auth
    remembers which rejections were not about the token, so do not make a new one for each request.
    """

    def __init__(
        self, clients: TokenClients, make: Callable[[TokenClient], T], *, max_connections: int = MAX_CLIENTS
    ) -> None:
        self._pool = Pool(lambda name: make(clients.connection(name)), max_connections)

    def connection(self, name: str) -> T:
        """Return the auth of a connection.

        Raises:
            ClientConfigurationException: no connection can have this name.

        """
        return self._pool.get(name)

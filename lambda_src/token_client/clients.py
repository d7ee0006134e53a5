"""`TokenClients`: the clients of many connections of a fleet, over one AWS client."""

from typing import Final, Self

import boto3

from token_client.client import Name, TokenClient, invoker_for, remade
from token_client.function_name import FunctionName
from token_client.invoker import READ_TIMEOUT
from token_client.pool import Pool

MAX_CLIENTS: Final = 10_000
"""Connections that are kept in memory, unless the caller names another number. Each takes about 4 KB."""


class TokenClients:
    """Keeps the clients of many connections of a fleet in one process, over one AWS client. Create one per process.

    Keeps the tokens of the `max_connections` connections that were used last, and asks again for others. The other
    arguments, and what it raises, are those of `TokenClient`. Safe to use from several threads.
    """

    def __init__(
        self,
        function_name: Name = None,
        *,
        session: boto3.session.Session | None = None,
        read_timeout: float = READ_TIMEOUT,
        max_connections: int = MAX_CLIENTS,
    ) -> None:
        self._invoker = invoker_for(function_name, session, read_timeout, fleet=True)
        self._max, self._pool = max_connections, Pool(self._new_client, max_connections)

    @classmethod
    def from_parameter(
        cls,
        name: str,
        *,
        session: boto3.session.Session | None = None,
        read_timeout: float = READ_TIMEOUT,
        max_connections: int = MAX_CLIENTS,
    ) -> Self:
        """Return clients that read the function's name from a Systems Manager parameter when they first need it.

        The stack writes the parameter ``/RefreshToken/<stage>/connections-function-arn``.
        """
        function = FunctionName(parameter=name)
        return cls(function, session=session, read_timeout=read_timeout, max_connections=max_connections)

    def connection(self, name: str) -> TokenClient:
        """Return the client of a connection, such as ``acme/u1``. Asks nothing: the client does when it is used.

        Raises:
            ClientConfigurationException: no connection can have this name.

        """
        return self._pool.get(name)

    def __copy__(self) -> Self:
        """Return this object: its clients have threads that wait for them."""
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the function's name and the limits, and no token."""
        return remade(type(self), self._invoker, max_connections=self._max), ()

    def _new_client(self, name: str) -> TokenClient:
        return TokenClient(self._invoker, connection=name)

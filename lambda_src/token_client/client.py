"""`TokenClient`: puts the function's name, the invoker and the keeper together."""

import time
from functools import partial
from random import SystemRandom
from typing import Final, Self

import boto3

from token_client import forks
from token_client.connection_name import asking_for, checked
from token_client.function_name import FunctionName
from token_client.invoker import READ_TIMEOUT, Invoker
from token_client.keeper import TokenKeeper
from token_client.kept_token import Now
from token_client.tokens import Token

LOST_AFTER: Final = 20.0
"""Seconds after the read timeout. By then a call has ended, with its retries, unless Lambda froze the process."""

Name = str | FunctionName | None


class TokenClient:
    """Returns live access tokens and replaces rejected ones. Create one per process, outside the handler.

    `function_name` is the name, ARN or alias ARN of the refresh function. Without it, the client reads FUNCTION_NAME
    and then FUNCTION_NAME_PARAMETER from the environment. `connection` is the connection of a fleet, such as
    ``acme/u1``; the client then reads CONNECTIONS_FUNCTION_NAME and CONNECTIONS_FUNCTION_NAME_PARAMETER first. Pass a
    `session` to use other credentials or another region. `read_timeout` is in seconds; raise it if you raised the
    stack's ``timeout_seconds``.

    Raises:
        ClientConfigurationException: no function is named, no region is set, or `connection` is no name.

    """

    def __init__(
        self,
        function_name: Name | Invoker = None,
        *,
        connection: str | None = None,
        session: boto3.session.Session | None = None,
        read_timeout: float = READ_TIMEOUT,
    ) -> None:
        self._connection = None if connection is None else checked(connection)
        self._invoker = (
            function_name
            if isinstance(function_name, Invoker)
            else invoker_for(function_name, session, read_timeout, fleet=connection is not None)
        )
        ask = self._invoker.ask
        self._keeper = TokenKeeper(
            ask if self._connection is None else asking_for(self._connection, ask),
            now=_now,
            jitter=_random,
            lost_after=self._invoker.read_timeout + LOST_AFTER,
        )
        forks.note(self)

    @classmethod
    def from_parameter(
        cls,
        name: str,
        *,
        connection: str | None = None,
        session: boto3.session.Session | None = None,
        read_timeout: float = READ_TIMEOUT,
    ) -> Self:
        """Return a client that reads the function's name from a Systems Manager parameter when it first needs it.

        The stack writes the parameter ``/RefreshToken/<stage>/function-arn``, and that of a fleet,
        ``/RefreshToken/<stage>/connections-function-arn``. Raises what the class raises.
        """
        return cls(FunctionName(parameter=name), connection=connection, session=session, read_timeout=read_timeout)

    def get_token(self, timeout: float | None = None) -> Token:
        """Return a live token, from memory if possible.

        While the function cannot be reached, returns the last good token until it expires, with `Token.stale` set.
        Waits for the function at most `timeout` seconds, if given. The question goes on in the background, so a later
        call gets its answer. After a failure, raises the same error for a while without asking (`docs/consumers.md`).

        Raises:
            TokenClientError: no live token is available; the class says why, the message says what to do.

        """
        return self._keeper.get_token(timeout)

    def token_in_memory(self) -> Token | None:
        """Return what `get_token` would return at once, or None if it would ask the function. Never waits."""
        return self._keeper.token_in_memory()

    def report_failure(self, token: Token, timeout: float | None = None) -> Token:
        """Replace this token, which the API rejected with 401 or 403, and return one that works.

        The client never returns the rejected token again, even if the report fails. Reporting it from many threads, or
        again later, causes one invocation. If the token is so new that the function does not replace it, returns the
        same token: look for another reason. `timeout` is that of `get_token`.

        Raises:
            TokenClientError: the function could not replace the token. `get_token` then reports it again.

        """
        return self._keeper.report_failure(token, timeout)

    def look_again(self, token: Token, timeout: float | None = None) -> Token:
        """Return the current token, which may still be this one. The auth adapters use it when a report would be wrong.

        Reports nothing and raises nothing. If the function does not answer, returns this token, and does so for some
        seconds after there was no newer one. `timeout` is that of `get_token`.
        """
        return self._keeper.look_again(token, timeout)

    def __copy__(self) -> Self:
        """Return this client: it has connections and threads that wait for it."""
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the names of function and connection and the timeout, and no token: another process asks itself."""
        return remade(type(self), self._invoker, connection=self._connection), ()

    def after_fork(self) -> None:
        """Forget the parent's threads and connections, in a child process."""
        self._invoker.after_fork()
        self._keeper.after_fork()


def invoker_for(
    function_name: Name, session: boto3.session.Session | None, read_timeout: float, *, fleet: bool
) -> Invoker:
    """Return what invokes the named function, or the one that the environment names; raises what `TokenClient` does."""
    if isinstance(function_name, str):
        function_name = FunctionName(name=function_name) if function_name else None
    name = function_name or FunctionName.from_environment(fleet=fleet)
    return Invoker(name, session=session, read_timeout=read_timeout)


def remade(kind: type, invoker: Invoker, **options: object) -> "partial[object]":
    """Return what makes the same again in another process; a pickle holds it."""
    if invoker.session:
        raise TypeError(f"A {kind.__name__} with a boto3 session of its own cannot be pickled: no session can.")
    return partial(kind, invoker.name, read_timeout=invoker.read_timeout, **options)


def _now() -> Now:
    return Now(time.monotonic(), time.time())


_random: Final = SystemRandom().random

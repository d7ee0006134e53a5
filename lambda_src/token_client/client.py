"""`TokenClient`: puts the function's name, the invoker and the keeper together."""

import os
import time
import weakref
from functools import partial
from random import SystemRandom
from typing import Final, Self

import boto3

from token_client.function_name import FunctionName
from token_client.invoker import READ_TIMEOUT, Invoker
from token_client.keeper import TokenKeeper
from token_client.kept_token import Now
from token_client.tokens import Token

LOST_AFTER: Final = 20.0
"""Seconds after the read timeout. By then a call has ended, with its retries, unless Lambda froze the process."""


class TokenClient:
    """Returns live access tokens and replaces rejected ones. Create one per process, outside the handler.

    `function_name` is the name, ARN or alias ARN of the refresh function. Without it, the client reads FUNCTION_NAME
    and then FUNCTION_NAME_PARAMETER from the environment. Pass a `session` to use other credentials or another region.
    `read_timeout` is in seconds; raise it if you raised the stack's ``timeout_seconds``.

    Raises:
        ClientConfigurationException: no function is named, or no region is set.

    """

    def __init__(
        self,
        function_name: str | FunctionName | None = None,
        *,
        session: boto3.session.Session | None = None,
        read_timeout: float = READ_TIMEOUT,
    ) -> None:
        if isinstance(function_name, str):
            function_name = FunctionName(name=function_name) if function_name else None
        self._name = function_name or FunctionName.from_environment()
        self._session, self._read_timeout = session, read_timeout
        self._invoker = Invoker(self._name, session=session, read_timeout=read_timeout)
        self._keeper = TokenKeeper(
            self._invoker.ask, now=_now, jitter=SystemRandom().random, lost_after=read_timeout + LOST_AFTER
        )
        _CLIENTS.add(self)

    @classmethod
    def from_parameter(
        cls, name: str, *, session: boto3.session.Session | None = None, read_timeout: float = READ_TIMEOUT
    ) -> Self:
        """Return a client that reads the function's name from a Systems Manager parameter when it first needs it.

        The stack writes the parameter ``/RefreshToken/<stage>/function-arn``. Raises what the class raises.
        """
        return cls(FunctionName(parameter=name), session=session, read_timeout=read_timeout)

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
        """Pickle the function's name and the timeout, and no token: another process asks for its own."""
        if self._session:
            raise TypeError("A TokenClient with a boto3 session of its own cannot be pickled: no session can.")
        return partial(type(self), self._name, read_timeout=self._read_timeout), ()

    def _after_fork(self) -> None:
        self._invoker.after_fork()
        self._keeper.after_fork()


def _now() -> Now:
    return Now(time.monotonic(), time.time())


_CLIENTS: Final[weakref.WeakSet[TokenClient]] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for client in list(_CLIENTS):
        client._after_fork()  # noqa: SLF001 - the same module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)

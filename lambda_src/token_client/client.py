"""`TokenClient`: puts the function's name, the invoker and the keeper together."""

import os
import time
import weakref
from random import SystemRandom
from typing import Final, Self

import boto3

from token_client.function_name import FunctionName
from token_client.invoker import READ_TIMEOUT, Invoker
from token_client.keeper import TokenKeeper
from token_client.kept_token import Now
from token_client.tokens import Token


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
        name = function_name or FunctionName.from_environment()
        self._invoker = Invoker(name, session=session, read_timeout=read_timeout)
        self._keeper = TokenKeeper(self._invoker.ask, now=_now, jitter=SystemRandom().random)
        _CLIENTS.add(self)

    @classmethod
    def from_parameter(
        cls, name: str, *, session: boto3.session.Session | None = None, read_timeout: float = READ_TIMEOUT
    ) -> Self:
        """Return a client that reads the function's name from a Systems Manager parameter when it first needs it.

        The stack writes the parameter ``/RefreshToken/<stage>/function-arn``. Raises what the class raises.
        """
        return cls(FunctionName(parameter=name), session=session, read_timeout=read_timeout)

    def get_token(self) -> Token:
        """Return a live token, from memory if possible.

        While the function cannot be reached, returns the last good token until it expires, with `Token.stale` set.

        Raises:
            TokenClientError: no live token is available; the class says why, the message says what to do.

        """
        return self._keeper.get_token()

    def report_failure(self, token: Token) -> Token:
        """Replace this token, which the API rejected with 401 or 403, and return one that works.

        The client never returns the rejected token again, even if the report fails. Reporting it from many threads, or
        again later, causes one invocation.

        Raises:
            TokenClientError: the function could not replace the token. `get_token` then reports it again.

        """
        return self._keeper.report_failure(token)

    def look_again(self, token: Token) -> Token:
        """Return the current token, which may still be this one. The auth adapters use it when a report would be wrong.

        Reports nothing and raises nothing. If the function does not answer, returns this token.
        """
        return self._keeper.look_again(token)

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

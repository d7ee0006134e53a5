"""The client: a name, a keeper, and the function behind it."""

import os
import time
import weakref
from random import SystemRandom
from typing import Final, Self

import boto3

from token_client.function_name import FunctionName
from token_client.invoker import READ_TIMEOUT, Invoker
from token_client.keeper import Now, TokenKeeper
from token_client.tokens import Token


class TokenClient:
    """Gives live access tokens, and others in place of rejected ones. Make one for a process, outside the handler.

    `function_name` is the name, ARN or alias ARN of the refresh function; without it, FUNCTION_NAME, else
    FUNCTION_NAME_PARAMETER in the environment. `session` is for credentials or a region of its own. `read_timeout` is
    in seconds; raise it if the stack's ``timeout_seconds`` was raised.

    Raises:
        ClientConfigurationException: no function is named, or there is no region.

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
        """Return a client of the function that a parameter of Systems Manager names, read with the first question.

        The stack writes ``/RefreshToken/<stage>/function-arn``. Raises as the class does.
        """
        return cls(FunctionName(parameter=name), session=session, read_timeout=read_timeout)

    def get_token(self) -> Token:
        """Return a live token, from memory as long as that is right.

        While the function cannot be asked, the last good token is served as long as it lives, with `Token.stale` set.

        Raises:
            TokenClientError: there is no live token to be had; the class tells why, the message what to do.

        """
        return self._keeper.get_token()

    def report_failure(self, token: Token) -> Token:
        """Return a token that works in place of this one, which the API rejected (401, 403).

        The rejected one is never handed out again, whatever becomes of the report. Reported by many threads at once, or
        again later, it makes one invocation.

        Raises:
            TokenClientError: the function could not replace it. Where it cannot be reached, `get_token` reports again.

        """
        return self._keeper.report_failure(token)

    def look_again(self, token: Token) -> Token:
        """Return the token that is current now, which may still be this one; for auth, where a report would be wrong.

        Nothing is reported and nothing raised: this one is returned, too, if nobody answers.
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

"""Invokes the function with boto3, and retries where that is safe.

The client does its own retries instead of leaving them to botocore: it retries after a failed connection or an internal
error of Lambda. A retry never kills a token, because the function refreshes each version once. It does not retry after
a throttle, which every retry would prolong, nor after a read timeout, because the consumer would wait twice.
"""

import json
import time
from collections.abc import Callable, Mapping
from random import SystemRandom
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from token_client.answers import Received, error_of, token_of
from token_client.errors import (
    ClientConfigurationException,
    FunctionMissingException,
    LambdaUnavailableException,
    TokenClientError,
)
from token_client.function_name import FunctionName
from token_client.invoke_errors import error_of_no_answer, error_of_refusal

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

READ_TIMEOUT: Final = 70.0
"""Seconds. The function may run for 60, its timeout in the stack, and has to start first."""

IMPATIENT_READ_TIMEOUT: Final = 10.0
"""Seconds, while a live token is at hand. The function finishes what it started, and the next request gets the
result."""

CONNECT_TIMEOUT: Final = 3.0
MAX_IDLE_CONNECTIONS: Final = 64
"""Network connections that are kept for the next call. Each `TokenClient` makes one call at a time, but thousands of
them may share this invoker."""

MAX_ATTEMPTS: Final = 3
FIRST_PAUSE: Final = 0.3
"""Longest pause before the second attempt, in seconds; the pause before the third is up to twice as long."""


class Invoker:
    """Invokes one function. Safe to use from several threads, as botocore's clients are.

    The constructor makes the Lambda client, because Lambda gives a function's init phase a full processor whatever its
    memory. The client comes from the same session as the consumer's own boto3 clients, which loads its data once.
    """

    def __init__(
        self,
        name: FunctionName,
        *,
        session: boto3.session.Session | None = None,
        read_timeout: float = READ_TIMEOUT,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name, self.session, self.read_timeout, self._sleep = name, session, read_timeout, sleep
        self._random = SystemRandom().random  # not `random`: environments restored from one snapshot share its seed
        self._clients: dict[float, LambdaClient] = {}
        self._client(read_timeout)

    def ask(self, event: Mapping[str, str], *, patient: bool) -> Received:
        """Return the function's token answer to an event; raises a `TokenClientError`.

        If `patient`, the function gets the full read timeout, and an attempt that did not reach it is repeated.
        """
        outcome = self._attempt(event, patient=patient)
        for attempt in range(1, MAX_ATTEMPTS if patient else 1):
            if not isinstance(outcome, LambdaUnavailableException):
                break
            self._sleep(FIRST_PAUSE * 2 ** (attempt - 1) * self._random())
            outcome = self._attempt(event, patient=patient)
        if isinstance(outcome, FunctionMissingException) and self.name.forget():
            outcome = self._attempt(event, patient=patient)
        if isinstance(outcome, Received):
            return outcome
        raise outcome

    def after_fork(self) -> None:
        """Forget the AWS clients: a child process must not share its parent's connections."""
        self._clients.clear()

    def _attempt(self, event: Mapping[str, str], *, patient: bool) -> Received | TokenClientError:
        read_timeout = self.read_timeout if patient else min(self.read_timeout, IMPATIENT_READ_TIMEOUT)
        try:
            name = self.name.resolve(self._new_client)
            answer = self._client(read_timeout).invoke(FunctionName=name, Payload=json.dumps(event).encode())
            payload = answer["Payload"].read()
            return error_of(payload) if "FunctionError" in answer else token_of(payload)
        except TokenClientError as error:
            return error.with_traceback(None)
        except ClientError as error:
            return error_of_refusal(error, self._client(self.read_timeout).meta.service_model)
        except Exception as error:  # noqa: BLE001 - any exception may hold the answer, which contains a token
            return error_of_no_answer(error, read_timeout)

    def _client(self, read_timeout: float) -> "LambdaClient":
        if read_timeout not in self._clients:
            self._clients[read_timeout] = self._new_client("lambda", read_timeout=read_timeout)
        return self._clients[read_timeout]

    def _new_client(self, service: str, *, read_timeout: float = IMPATIENT_READ_TIMEOUT) -> Any:  # noqa: ANN401 - the caller names the type
        config = Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=read_timeout,
            # NAT gateways cut a connection that has been idle for 350 seconds.
            tcp_keepalive=True,
            retries={"total_max_attempts": 1},
            max_pool_connections=MAX_IDLE_CONNECTIONS,
        )
        make: Any = self.session.client if self.session else boto3.client
        try:
            return make(service, config=config)
        except (BotoCoreError, ValueError) as error:
            what = type(error).__name__
        raise ClientConfigurationException(
            f"boto3 could not make a client for {service} ({what}). Set AWS_DEFAULT_REGION, and check "
            "AWS_ENDPOINT_URL* if you use it."
        )

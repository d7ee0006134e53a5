"""Invoking the function. The only place that uses boto3.

One invocation at a time is made by a client, so retries are ours, not botocore's: what is safe to send again is sent
again (throttled, no connection, Lambda's own fault), and no answer in time is not. The function refreshes a version
once, however often it is asked, so a repeated question never kills a token; it would only make the consumer wait twice.
"""

import json
import time
from collections.abc import Callable, Mapping
from random import SystemRandom
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
)

from token_client.answers import Received, error_of, token_of
from token_client.errors import (
    ClientConfigurationException,
    FunctionMissingException,
    InvokeDeniedException,
    InvokeError,
    InvokeRefusedException,
    InvokeThrottledException,
    InvokeTimedOutException,
    LambdaUnavailableException,
    TokenClientError,
)
from token_client.function_name import FunctionName

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

READ_TIMEOUT: Final = 70.0
"""Seconds. The function may take 60, its timeout in the stack, and has to start first."""

IMPATIENT_READ_TIMEOUT: Final = 10.0
"""Seconds, where a live token is at hand: what the function began is finished without us, for the next question."""

CONNECT_TIMEOUT: Final = 3.0
ATTEMPTS: Final = 3
FIRST_PAUSE: Final = 0.3
"""Seconds at most before the second attempt; twice that before the third."""

_CREDENTIALS: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
"""Codes that any AWS service answers when credentials or permissions are at fault (Common Errors, API reference)."""

_OTHERS: Final = frozenset({"ThrottlingException", "RequestTimeoutException", "ValidationException", "InternalFailure"})


class Invoker:
    """Asks one function. Safe to use from several threads, as botocore's clients are.

    The AWS client is made here and not with the first question: Lambda gives init a whole processor, whatever the
    memory. It comes from the session that the consumer's own boto3 clients come from, whose data is loaded once.
    """

    def __init__(
        self,
        name: FunctionName,
        *,
        session: boto3.session.Session | None = None,
        read_timeout: float = READ_TIMEOUT,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name, self._session, self._read_timeout, self._sleep = name, session, read_timeout, sleep
        self._random = SystemRandom().random  # not `random`: environments restored from one snapshot would all agree
        self._clients: dict[float, LambdaClient] = {}
        self._client(read_timeout)

    def ask(self, event: Mapping[str, str], *, patient: bool) -> Received:
        """Return the function's token answer to an event; raises a `TokenClientError`.

        With `patient` the function may take all its time, and an attempt that did not reach it is repeated.
        """
        outcome = self._attempt(event, patient=patient)
        for attempt in range(1, ATTEMPTS if patient else 1):
            if not isinstance(outcome, InvokeThrottledException | LambdaUnavailableException):
                break
            self._sleep(FIRST_PAUSE * 2 ** (attempt - 1) * self._random())
            outcome = self._attempt(event, patient=patient)
        if isinstance(outcome, Received):
            return outcome
        if isinstance(outcome, FunctionMissingException):
            self._name.forget()
        raise outcome

    def after_fork(self) -> None:
        """Forget the clients: a child process must not share its parent's connections."""
        self._clients.clear()

    def _attempt(self, event: Mapping[str, str], *, patient: bool) -> Received | TokenClientError:
        read_timeout = self._read_timeout if patient else min(self._read_timeout, IMPATIENT_READ_TIMEOUT)
        try:
            name = self._name.resolve(self._new_client)
            answer = self._client(read_timeout).invoke(FunctionName=name, Payload=json.dumps(event).encode())
            payload = answer["Payload"].read()
            return error_of(payload) if "FunctionError" in answer else token_of(payload)
        except TokenClientError as error:
            return error.with_traceback(None)
        except ClientError as error:
            return self._refusal(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, it may hold the answer, which is a token
            return _no_answer(error, read_timeout)

    def _client(self, read_timeout: float) -> "LambdaClient":
        if read_timeout not in self._clients:
            self._clients[read_timeout] = self._new_client("lambda", read_timeout=read_timeout)
        return self._clients[read_timeout]

    def _new_client(self, service: str, *, read_timeout: float = IMPATIENT_READ_TIMEOUT) -> Any:  # noqa: ANN401 - the caller names the type
        config = Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=read_timeout,
            # An idle connection is cut by NAT gateways after 350 seconds.
            tcp_keepalive=True,
            retries={"total_max_attempts": 1},
        )
        make: Any = self._session.client if self._session else boto3.client
        try:
            return make(service, config=config)
        except (BotoCoreError, ValueError) as error:
            what = type(error).__name__
        raise ClientConfigurationException(
            f"No AWS client of {service} can be made ({what}). Set AWS_DEFAULT_REGION, and check AWS_ENDPOINT_URL* if "
            "you use it."
        )

    def _refusal(self, error: ClientError) -> InvokeError:
        """Tell apart what Lambda's Invoke refuses (its API reference, "Errors"), by code, then by HTTP status."""
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        model = self._client(self._read_timeout).meta.service_model
        if code not in {shape.name for shape in model.error_shapes} | _CREDENTIALS | _OTHERS:
            code = f"HTTP {status}"  # what calls itself a code may be an echo
        return _told(_refusal_of(code, status), code)


def _refusal_of(code: str, status: int) -> InvokeError:
    if code in ("TooManyRequestsException", "ThrottlingException") or status == 429:  # noqa: PLR2004 - HTTP
        return InvokeThrottledException(
            f"Lambda throttles invocations of the refresh function ({code}). Ask again later; if it stays, raise the "
            "account's concurrency, or the function's reserved concurrency."
        )
    if code in _CREDENTIALS or status in (401, 403):
        return InvokeDeniedException(
            f"This role may not invoke the refresh function ({code}). Give it lambda:InvokeFunction on the name or "
            "alias that the client was given."
        )
    if code == "ResourceNotFoundException" or status == 404:  # noqa: PLR2004 - HTTP
        return FunctionMissingException(
            f"There is no such function, version or alias ({code}). Check the name given to the client, the account "
            "and the region, and that the stack is deployed."
        )
    if status >= 500 or status == 409:  # noqa: PLR2004 - HTTP; 409: the function is being updated
        return LambdaUnavailableException(
            f"Lambda could not run the refresh function ({code}). Ask again later; if it stays, see the AWS Health "
            "Dashboard for Lambda."
        )
    return InvokeRefusedException(
        f"Lambda refuses to invoke the refresh function ({code}). Check the name given to it."
    )


def _no_answer(error: Exception, read_timeout: float) -> TokenClientError:
    code = type(error).__name__
    if isinstance(error, ReadTimeoutError):
        timed_out = InvokeTimedOutException(
            f"The refresh function did not answer within {read_timeout:g} seconds. It may have finished meanwhile: ask "
            "again. Figma or AWS may be slow; see the function's log if it stays."
        )
        return _told(timed_out, code)
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return ClientConfigurationException(
            f"There are no AWS credentials ({code}). In Lambda they come with the role; elsewhere set AWS_PROFILE."
        )
    advice = (
        "In a VPC, add a NAT gateway, or interface endpoints for lambda (and ssm, if the name is in a parameter)"
        if isinstance(error, ConnectTimeoutError)
        else "Check the network and the region"
    )
    return _told(LambdaUnavailableException(f"AWS cannot be reached ({code}). {advice}, then ask again."), code)


def _told(error: InvokeError, code: str) -> InvokeError:
    error.code = code
    return error

"""Everything that the client raises: one class per meaning, all derived from `TokenClientError`.

    TokenClientError
        FunctionError                   the function ran, or tried to, and failed
            SecretNotSeededException, ReauthorizationRequiredException ...   the function's own errors, by name
            FunctionTimedOutException, FunctionCrashedException              what Lambda reports for the function
            UnknownFunctionException                                         a name that this version does not know
        InvokeError                     Lambda did not run the function, or its answer did not come back
        ClientConfigurationException    the consumer's own set-up is wrong
        UnexpectedAnswerException       the answer makes no sense

`docs/errors.md` is made of the docstrings. Each message says what to do. No message holds a token, and no error carries
a cause or a context: a botocore exception can hold the answer, which contains a token. For that reason the client
raises after an ``except`` block, never in it.
"""

from typing import ClassVar, Final


class TokenClientError(Exception):
    """The base class."""

    transient: ClassVar[bool] = False
    """Whether the same call may succeed later without anybody changing anything."""

    pause: ClassVar[float] = 30.0
    """Seconds during which the client repeats this error instead of asking the function again; shortened at random by
    up to half. Long where a person has to act, short where another attempt may help."""


class FunctionError(TokenClientError):
    """The function failed. ``error_type`` is the name of the error, as the function or Lambda reported it."""

    error_type: str = ""


class InvalidParameterException(FunctionError):
    """The function does not understand the event: the client and the function have different versions."""


class SecretNotSeededException(FunctionError):
    """The secret holds no token pair yet. An operator has to sign in."""


class SecretMalformedException(FunctionError):
    """The secret holds something other than a token pair. An operator has to store a pair again."""


class SecretUnavailableException(FunctionError):
    """The function cannot read its secret."""

    pause = 10.0


class ConnectionNotFoundException(FunctionError):
    """The fleet has no connection of that name. An operator has to connect it, or the name is wrong."""


class ConnectionPausedException(FunctionError):
    """The connection is paused, stuck or revoked. An operator has to resume it or connect it again."""


class ReauthorizationRequiredException(FunctionError):
    """The issuer refuses the refresh token. An operator has to sign in again; a retry does not help."""


class IssuerUnavailableException(FunctionError):
    """The token needs a refresh, and the issuer is not available at the moment."""

    transient = True
    pause = 10.0


class IssuerProtocolException(FunctionError):
    """The issuer's answer to the function makes no sense."""


class RefreshInProgressException(FunctionError):
    """Another invocation is refreshing the token and did not finish in time. Try again."""

    transient = True
    pause = 1.0


class TokenNotStoredException(FunctionError):
    """The token was refreshed but could not be stored. The next call or report fixes this if writing works again."""

    transient = True
    pause = 2.0


class ConfigurationException(FunctionError):
    """The function's deployment is wrong: its environment, permissions or resources."""


class FunctionTimedOutException(FunctionError):
    """The function reached its own timeout.

    What to do: try again.
    """

    transient = True
    pause = 5.0


class FunctionCrashedException(FunctionError):
    """The function's process ended or could not start: it ran out of memory, or its bundle is broken.

    What to do: an operator reads the function's log.
    """

    pause = 10.0


class UnknownFunctionException(FunctionError):
    """The function raised an error that this version of the client does not know.

    What to do: read the function's log; update the client.
    """


class InvokeError(TokenClientError):
    """Lambda did not run the function. ``code`` is Lambda's error code, or the class name of botocore's error.

    It is empty if the caller's own timeout ended the wait.
    """

    code: str = ""


class InvokeThrottledException(InvokeError):
    """Lambda throttles: the account, or the function, has too many invocations at once.

    What to do: try again later; raise the concurrency.
    """

    transient = True
    pause = 5.0


class InvokeDeniedException(InvokeError):
    """The consumer's role may not invoke the function, or its credentials are not valid.

    What to do: grant the permission on exactly the name or alias that you call.
    """

    pause = 10.0


class FunctionMissingException(InvokeError):
    """The function or alias does not exist in this account and region.

    What to do: check name, account and region.
    """

    pause = 10.0


class InvokeTimedOutException(InvokeError):
    """No answer came in 70 seconds, or within the timeout of the call. The function may have finished by now.

    What to do: try again.
    """

    transient = True
    pause = 5.0


class LambdaUnavailableException(InvokeError):
    """Lambda or Systems Manager failed or could not be reached, even after retries.

    What to do: try again later; in a VPC, check that there is a route.
    """

    transient = True
    pause = 5.0


class InvokeRefusedException(InvokeError):
    """Lambda refuses the invocation for another reason.

    What to do: read the reason in `code`.
    """


class ClientConfigurationException(TokenClientError):
    """The consumer's own set-up is wrong: no function name, region, credentials or parameter.

    What to do: fix what the message names in your own configuration.
    """

    pause = 10.0


class UnexpectedAnswerException(TokenClientError):
    """The answer holds no token, one that no header can carry, or the one that was reported as rejected.

    What to do: do what the message says: check that the name is the refresh function's, or store the pair again.
    """


CONTRACT: Final[dict[str, type[FunctionError]]] = {
    error.__name__: error
    for error in (
        InvalidParameterException,
        SecretNotSeededException,
        SecretMalformedException,
        SecretUnavailableException,
        ConnectionNotFoundException,
        ConnectionPausedException,
        ReauthorizationRequiredException,
        IssuerUnavailableException,
        IssuerProtocolException,
        RefreshInProgressException,
        TokenNotStoredException,
        ConfigurationException,
    )
}
"""The function's own errors by their ``errorType``, in the order of `docs/errors.md`."""

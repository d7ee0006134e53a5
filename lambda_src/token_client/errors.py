"""Everything that the client raises, one class per meaning; all are a `TokenClientError`.

    TokenClientError
        FunctionError               the function was reached, and says no
            SecretNotSeededException, ReauthorizationRequiredException ...   its own errors, by name
            FunctionTimedOutException, FunctionCrashedException              Lambda says so, in its place
            UnknownFunctionException                                         a name that this version does not know
        InvokeError                 Lambda did not get as far as running it, or its answer did not come back
        ClientConfigurationException    the consumer's own set-up
        UnexpectedAnswerException       an answer that makes no sense

Each message says what to do. None holds a token, and none carries a cause or a context: a botocore exception can hold
the answer, which is a token. So everything here is raised after an ``except`` block, not in it.
"""

from typing import ClassVar, Final


class TokenClientError(Exception):
    """What all of them have in common."""

    transient: ClassVar[bool] = False
    """Whether the same call may succeed later although nobody changes anything."""


class FunctionError(TokenClientError):
    """The function was reached and raised. ``error_type`` is the name that it, or Lambda, gave."""

    error_type: str = ""


class InvalidParameterException(FunctionError):
    """The function does not know the event: client and function are of different versions."""


class SecretNotSeededException(FunctionError):
    """There is no token pair yet. An operator has to sign in."""


class SecretMalformedException(FunctionError):
    """The secret holds something that is not a token pair. An operator has to store one again."""


class SecretUnavailableException(FunctionError):
    """The function cannot read its secret."""


class ReauthorizationRequiredException(FunctionError):
    """The refresh token is refused: an operator has to sign in again. Asking again is no use."""


class IssuerUnavailableException(FunctionError):
    """The token has to be refreshed, and the issuer cannot be used at the moment."""

    transient = True


class IssuerProtocolException(FunctionError):
    """The issuer gave the function an answer that makes no sense."""


class RefreshInProgressException(FunctionError):
    """Another invocation is refreshing the token and did not finish in time. Ask again."""

    transient = True


class TokenNotStoredException(FunctionError):
    """The token was refreshed and could not be stored. The next question or report heals it, once writing works."""

    transient = True


class ConfigurationException(FunctionError):
    """The function's deployment is wrong: its environment, permissions or resources."""


class FunctionTimedOutException(FunctionError):
    """The function reached its own timeout."""

    transient = True


class FunctionCrashedException(FunctionError):
    """The function's process ended, or could not start: out of memory, a broken bundle."""


class UnknownFunctionException(FunctionError):
    """The function raised something that this version of the client does not know."""


class InvokeError(TokenClientError):
    """Lambda could not be asked. ``code`` is its error code, or the class of botocore's error."""

    code: str = ""


class InvokeThrottledException(InvokeError):
    """Lambda throttles: too many invocations at once in this account, or of this function."""

    transient = True


class InvokeDeniedException(InvokeError):
    """This consumer's role may not invoke the function, or has no valid credentials."""


class FunctionMissingException(InvokeError):
    """There is no such function or alias in this account and region."""


class InvokeTimedOutException(InvokeError):
    """No answer came in the time that the client waits. The function may well have finished meanwhile: ask again."""

    transient = True


class LambdaUnavailableException(InvokeError):
    """Lambda cannot be reached, or has a fault of its own."""

    transient = True


class InvokeRefusedException(InvokeError):
    """Lambda refuses the invocation for another reason, named in ``code``."""


class ClientConfigurationException(TokenClientError):
    """The consumer's own set-up is wrong: no function named, no region, no credentials, a parameter missing."""


class UnexpectedAnswerException(TokenClientError):
    """The answer is no token answer, or the function gave back the very token that was reported as rejected."""


CONTRACT: Final[dict[str, type[FunctionError]]] = {
    error.__name__: error
    for error in (
        InvalidParameterException,
        SecretNotSeededException,
        SecretMalformedException,
        SecretUnavailableException,
        ReauthorizationRequiredException,
        IssuerUnavailableException,
        IssuerProtocolException,
        RefreshInProgressException,
        TokenNotStoredException,
        ConfigurationException,
    )
}
"""The function's own errors by the ``errorType`` that it answers, in the order in which the README lists them."""

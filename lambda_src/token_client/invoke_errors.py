"""Turns what botocore raises at Invoke into the client's errors, without keeping any of its text."""

from typing import Final

from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
)
from botocore.model import ServiceModel

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
"""Codes that any AWS service uses for wrong credentials or permissions (AWS API reference, "Common Errors")."""

_OTHERS: Final = frozenset({"ThrottlingException", "RequestTimeoutException", "ValidationException", "InternalFailure"})


def error_of_refusal(error: ClientError, model: ServiceModel) -> InvokeError:
    """Return the error for a refusal by Lambda (Invoke, API reference, "Errors"), by its code, then its HTTP status."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code not in {shape.name for shape in model.error_shapes} | _CREDENTIALS | _OTHERS:
        code = f"HTTP {status}"  # an unknown code may be an echo of what we sent
    return _with_code(_refusal(code, status), code)


def error_of_no_answer(error: Exception, read_timeout: float) -> TokenClientError:
    """Return the error for a call that Lambda did not answer."""
    code = type(error).__name__
    if isinstance(error, ReadTimeoutError):
        timed_out = InvokeTimedOutException(
            f"The refresh function did not answer within {read_timeout:g} seconds. It may have finished by now: try "
            "again. Figma or AWS may be slow; see the function's log if this persists."
        )
        return _with_code(timed_out, code)
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return ClientConfigurationException(
            f"boto3 found no AWS credentials ({code}). In Lambda the role provides them; elsewhere set AWS_PROFILE."
        )
    advice = (
        "In a VPC, add a NAT gateway or interface endpoints for lambda (and for ssm, if a parameter holds the name)"
        if isinstance(error, ConnectTimeoutError)
        else "Check the network and the region"
    )
    return _with_code(
        LambdaUnavailableException(f"The client cannot reach AWS ({code}). {advice}, then try again."), code
    )


def _refusal(code: str, status: int) -> InvokeError:
    if code in ("TooManyRequestsException", "ThrottlingException") or status == 429:  # noqa: PLR2004 - HTTP
        return InvokeThrottledException(
            f"Lambda throttles invocations of the refresh function ({code}). Try again later. If this persists, raise "
            "the account's concurrency or the function's reserved concurrency."
        )
    if code in _CREDENTIALS or status in (401, 403):
        return InvokeDeniedException(
            f"This role may not invoke the refresh function ({code}). Allow it lambda:InvokeFunction on the name or "
            "alias that the client was given."
        )
    if code == "ResourceNotFoundException" or status == 404:  # noqa: PLR2004 - HTTP
        return FunctionMissingException(
            f"The function, version or alias does not exist ({code}). Check the name that the client was given, the "
            "account and the region, and that the stack is deployed."
        )
    if status >= 500 or status == 409:  # noqa: PLR2004 - HTTP; 409 while the function is being updated
        return LambdaUnavailableException(
            f"Lambda could not run the refresh function ({code}). Try again later. If this persists, see the AWS "
            "Health Dashboard for Lambda."
        )
    return InvokeRefusedException(
        f"Lambda refuses to invoke the refresh function ({code}). Check the name that the client was given."
    )


def _with_code(error: InvokeError, code: str) -> InvokeError:
    error.code = code
    return error

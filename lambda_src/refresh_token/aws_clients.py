"""Clients of AWS services, all from one botocore session, and what becomes of a call that goes wrong.

boto3's clients are botocore's. `import boto3` adds S3's transfer threads and the resource classes, a tenth of the cold
start (docs/benchmarks.md). Region, credentials, retries and ``AWS_ENDPOINT_URL*`` are botocore's own matters, and the
same either way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, TypeVar

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from refresh_token.errors import ConfigurationException

ACCESS_CODES: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "NotAuthorized",
        "OptInRequired",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
"""Codes that any AWS service answers when the caller's own AWS credentials or permissions are at fault (Common Errors
in the API reference)."""

THROTTLING_CODES: Final = frozenset(
    {
        "LimitExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)

OTHER_CODES: Final = frozenset(
    {
        "ConditionalCheckFailedException",
        "DecryptionFailure",
        "EncryptionFailure",
        "InternalFailure",
        "InternalServerError",
        "InternalServiceError",
        "InvalidParameterException",
        "InvalidRequestException",
        "ItemCollectionSizeLimitExceededException",
        "MalformedPolicyDocumentException",
        "PreconditionNotMetException",
        "ProvisionedThroughputExceededException",
        "PublicPolicyException",
        "ReplicatedWriteConflictException",
        "ResourceExistsException",
        "ResourceNotFoundException",
        "ServiceUnavailable",
        "TransactionConflictException",
        "ValidationException",
    }
)
"""What the calls to Secrets Manager and DynamoDB can answer besides, by botocore's models."""

KNOWN_CODES: Final = ACCESS_CODES | THROTTLING_CODES | OTHER_CODES
"""The only codes that are shown: what calls itself an error code may be an echo of the request, token and all."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fault:
    """A call that went wrong, without anything of the request or of the answer in it.

    ``code`` is a known error code, or the class of the exception where there was no answer; ``status`` is the HTTP
    status of an answer, else 0.
    """

    kind: Literal["service", "connection", "other"]
    code: str
    status: int = 0


@cache
def session() -> botocore.session.Session:
    """Return the session, made once: it keeps credentials, and the data that clients are made from."""
    return botocore.session.get_session()


def aws_client(service: str, config: Config) -> Any:  # noqa: ANN401 - the caller names the type of client
    """Return a new client of a service.

    Raises:
        ConfigurationException: there is no region, or the endpoint of AWS_ENDPOINT_URL* is no URL.

    """
    try:
        return session().create_client(service, config=config)
    except (BotoCoreError, ValueError) as error:
        what = type(error).__name__
    raise ConfigurationException(
        f"No client of {service} can be made ({what}). Check the function's AWS_REGION and AWS_ENDPOINT_URL*, then "
        "deploy the stack again."
    )


def punctual_client(service: str, config: Config) -> Any:  # noqa: ANN401 - as above
    """Return a new client of which an attempt takes at most its connect and its read timeout, whatever is answered."""
    from refresh_token.whole_response import only_whole_responses  # noqa: PLC0415 - not for those who only read

    client = aws_client(service, config)
    only_whole_responses(client._endpoint.http_session)  # noqa: SLF001 - see there
    return client


def attempt(call: Callable[[], T]) -> T | Fault:
    """Make a call; return its answer, or the fault in place of an exception that can hold the request."""
    try:
        return call()
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        return Fault("service", code if code in KNOWN_CODES else "unknown error", status)
    except BotoCoreError as error:
        return Fault("connection", type(error).__name__)
    except ConfigurationException:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it may hold the request or the answer
        return Fault("other", type(error).__name__)

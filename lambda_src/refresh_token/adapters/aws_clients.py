"""Creates AWS clients from one botocore session, and turns failed calls into faults.

boto3's clients are botocore's. `import boto3` also loads S3's transfer threads and the resource classes, a tenth of the
cold start (docs/benchmarks.md). botocore itself finds region, credentials, retries and ``AWS_ENDPOINT_URL*``, as under
boto3.
"""

from collections.abc import Callable, Mapping
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
"""Codes of any AWS service for a caller whose own AWS credentials or permissions are at fault (API reference, Common
Errors)."""

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
        "AWS.SimpleQueueService.NonExistentQueue",
        "BatchEntryIdsNotDistinct",
        "BatchRequestTooLong",
        "ConditionalCheckFailedException",
        "DecryptionFailure",
        "DependencyTimeoutException",
        "DisabledException",
        "DryRunOperationException",
        "EmptyBatchRequest",
        "EncryptionFailure",
        "IncorrectKeyException",
        "InternalFailure",
        "InternalServerError",
        "InternalServiceError",
        "InvalidAddress",
        "InvalidAttributeName",
        "InvalidBatchEntryId",
        "InvalidCiphertextException",
        "InvalidGrantTokenException",
        "InvalidKeyUsageException",
        "InvalidParameterException",
        "InvalidRequestException",
        "InvalidSecurity",
        "ItemCollectionSizeLimitExceededException",
        "KMSInternalException",
        "KMSInvalidStateException",
        "KeyUnavailableException",
        "KmsAccessDenied",
        "KmsDisabled",
        "KmsInvalidKeyUsage",
        "KmsInvalidState",
        "KmsNotFound",
        "KmsOptInRequired",
        "KmsThrottled",
        "MalformedPolicyDocumentException",
        "NotFoundException",
        "PreconditionNotMetException",
        "ProvisionedThroughputExceededException",
        "PublicPolicyException",
        "QueueDoesNotExist",
        "ReplicatedWriteConflictException",
        "ResourceExistsException",
        "ResourceNotFoundException",
        "ServiceUnavailable",
        "TooManyEntriesInBatchRequest",
        "TransactionConflictException",
        "UnsupportedOperation",
        "UnsupportedOperationException",
        "ValidationException",
    }
)
"""The other codes in botocore's models of our calls to Secrets Manager, DynamoDB, KMS and SQS."""

KNOWN_CODES: Final = ACCESS_CODES | THROTTLING_CODES | OTHER_CODES
"""The only codes that messages show: an unknown one may echo the request, including a token."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fault:
    """A call that failed. It holds nothing of the request or of the answer.

    `code` is a known error code, or the class of the exception if there was no answer. `status` is the HTTP status, 0
    without an answer. `retried`: botocore has made the call before, and the answer to that may be lost.
    """

    kind: Literal["service", "connection", "other"]
    code: str
    status: int = 0
    retried: bool = False


@cache
def session() -> botocore.session.Session:
    """Return the process's only session, which caches credentials and service models."""
    return botocore.session.get_session()


def aws_client(service: str, config: Config, url: str | None = None) -> Any:  # noqa: ANN401 - the caller names the type of client
    """Return a new client of a service; `url` is another endpoint than botocore would find.

    Raises:
        ConfigurationException: there is no region, or AWS_ENDPOINT_URL* is no URL.

    """
    try:
        return session().create_client(service, config=config, endpoint_url=url)
    except (BotoCoreError, ValueError) as error:
        what = type(error).__name__
    raise ConfigurationException(
        f"The function cannot create a client for {service} ({what}). Check its AWS_REGION and AWS_ENDPOINT_URL*, then "
        "deploy the stack again."
    )


def punctual_client(service: str, config: Config, url: str | None = None) -> Any:  # noqa: ANN401 - as above
    """Return a new client whose attempts end within connect timeout plus read timeout, whatever the server sends."""
    from refresh_token.adapters.whole_response import only_whole_responses  # noqa: PLC0415 - reading a fresh token needs none

    client = aws_client(service, config, url)
    only_whole_responses(client._endpoint.http_session)  # noqa: SLF001 - botocore has no public way
    return client


def attempt(call: Callable[[], T]) -> T | Fault:
    """Make a call; return its answer, or a fault instead of an exception that may hold the request."""
    try:
        return call()
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        about: Mapping[str, Any] = error.response.get("ResponseMetadata", {})
        return Fault(
            "service",
            code if code in KNOWN_CODES else "unknown error",
            status=int(about.get("HTTPStatusCode", 0)),
            retried=bool(about.get("RetryAttempts")),
        )
    except BotoCoreError as error:
        return Fault("connection", type(error).__name__)
    except ConfigurationException:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it may hold the request or the answer
        return Fault("other", type(error).__name__)

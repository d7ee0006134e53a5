"""Calls that the dispatcher and the worker make to the table and the queue, and the errors that faults become."""

from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeVar

from botocore.config import Config

from refresh_token.adapters.aws_clients import ACCESS_CODES, Fault, attempt, punctual_client
from refresh_token.errors import ConfigurationException, SecretUnavailableException

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_sqs.client import SQSClient

THREADS: Final = 32
"""How many calls the dispatcher makes at once."""

_CONFIG: Final = Config(
    connect_timeout=1,
    read_timeout=2,
    max_pool_connections=THREADS,
    retries={"mode": "standard", "total_max_attempts": 3},
)
_MISSING: Final = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "ResourceNotFoundException")

T = TypeVar("T")


@lru_cache(maxsize=1)
def table_client() -> "DynamoDBClient":
    """Return the client of DynamoDB for many calls at once, made once. botocore retries its calls."""
    client: DynamoDBClient = punctual_client("dynamodb", _CONFIG)
    return client


@lru_cache(maxsize=1)
def queue_client() -> "SQSClient":
    """Return the client of SQS, made once. botocore retries its calls."""
    client: SQSClient = punctual_client("sqs", _CONFIG)
    return client


def guarded(what: str, call: Callable[[], T]) -> T:
    """Make a call and return its answer. Raises what `checked` raises."""
    return checked(what, attempt(call))


def checked(what: str, answer: T | Fault) -> T:
    """Return the answer to a call; ``what`` is what it went to, `table` or `queue`.

    Raises:
        SecretUnavailableException: it does not answer right now.
        ConfigurationException: it is missing, or the function may not use it.

    """
    if not isinstance(answer, Fault):
        return answer
    if answer.code in ACCESS_CODES or answer.code in _MISSING:
        raise ConfigurationException(
            f"The {what} of connections cannot be used ({answer.code}). Check that it exists and that the function's "
            "role may use it: `tokenctl doctor` finds what somebody has changed."
        )
    error = SecretUnavailableException(
        f"The {what} of connections does not answer ({answer.code}). Nothing is lost: the next tick tries again. If "
        "this persists, see the AWS Health Dashboard."
    )
    error.passing = True
    error.unsure = answer.kind == "connection" or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    raise error

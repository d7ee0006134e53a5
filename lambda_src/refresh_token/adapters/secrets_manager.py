"""Calls of Secrets Manager: the clients, the labels of versions, and what came back."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config

from refresh_token.adapters.aws_clients import Fault, attempt, aws_client, punctual_client

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.client import SecretsManagerClient

CURRENT: Final = "AWSCURRENT"
PENDING: Final = "AWSPENDING"
"""Label of a version that is written but not current yet; Secrets Manager's own name for that state."""

PREVIOUS: Final = "AWSPREVIOUS"
"""Label that Secrets Manager itself moves to the version that loses AWSCURRENT."""

NOT_FOUND: Final = "ResourceNotFoundException"
MAX_CALL_TIME: Final = 3.0
"""Seconds that one call of the writing client takes at most. The client does not retry. Its caller does, and watches
the deadline."""

_CONFIG: Final = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
_WRITE_CONFIG: Final = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 1})
_NO_SENSE: Final = Fault("other", "the answer did not come from Secrets Manager")

Call = Callable[[], Mapping[str, Any]]


@lru_cache(maxsize=1)
def secrets_manager_client() -> "SecretsManagerClient":
    """Return the client for reading, made once. botocore retries its calls."""
    client: SecretsManagerClient = aws_client("secretsmanager", _CONFIG)
    return client


@lru_cache(maxsize=1)
def secrets_manager_writer() -> "SecretsManagerClient":
    """Return the client for writing, made once. It makes one short attempt."""
    client: SecretsManagerClient = punctual_client("secretsmanager", _WRITE_CONFIG)
    return client


def answer(call: Call) -> Mapping[str, Any] | Fault:
    """Make a call. A genuine answer always has an ARN. botocore turns a 200 with an HTML page into an empty answer."""
    found = attempt(call)
    return found if isinstance(found, Fault) or "ARN" in found else _NO_SENSE

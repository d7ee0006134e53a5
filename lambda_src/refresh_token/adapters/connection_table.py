"""Calls to the table of connections: the clients, and what came back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config
from botocore.exceptions import ClientError

from refresh_token.adapters.aws_clients import THROTTLING_CODES, Fault, attempt, aws_client, punctual_client
from refresh_token.errors import ConnectionNotFoundException, RefreshTokenError, SecretUnavailableException
from refresh_token.fleet.record import Record, read_record
from refresh_token.fleet.table import PK

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

    from refresh_token.fleet.update import Request

MAX_CALL_TIME: Final = 3.0
"""Seconds that one attempt of the writing clients takes at most."""

SERVER_ERROR: Final = 500
"""The lowest HTTP status that says that a service fails."""

_READ_CONFIG: Final = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
_CLAIM_CONFIG: Final = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 3})
_WRITE_CONFIG: Final = _CLAIM_CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))
_BUSY: Final = THROTTLING_CODES | {"ProvisionedThroughputExceededException"}
_REFUSED: Final = "ConditionalCheckFailedException"


@lru_cache(maxsize=1)
def reading_client() -> "DynamoDBClient":
    """Return the client for reading, made once. botocore retries its calls."""
    client: DynamoDBClient = aws_client("dynamodb", _READ_CONFIG)
    return client


@lru_cache(maxsize=1)
def claiming_client() -> "DynamoDBClient":
    """Return the client for claims, made once. botocore retries its calls."""
    client: DynamoDBClient = punctual_client("dynamodb", _CLAIM_CONFIG)
    return client


@lru_cache(maxsize=1)
def writing_client() -> "DynamoDBClient":
    """Return the client that stores pairs, made once. It makes one short attempt."""
    client: DynamoDBClient = punctual_client("dynamodb", _WRITE_CONFIG)
    return client


@dataclass(frozen=True, slots=True)
class Refused:
    """The condition of a change did not hold. `actual` is the item as it is, None if there is none."""

    actual: Record | None


class ConnectionTable:
    """The items of connections. The writing clients are made when they are first needed."""

    def __init__(
        self,
        table: str,
        reader: "DynamoDBClient",
        claimer: "Callable[[], DynamoDBClient]" = claiming_client,
        writer: "Callable[[], DynamoDBClient]" = writing_client,
    ) -> None:
        self._table, self._reader, self._claimer, self._writer = table, reader, claimer, writer

    def read(self, name: str) -> Record:
        """Return the record of a connection.

        Raises:
            ConnectionNotFoundException: there is none.
            SecretUnavailableException: the table cannot be read.

        """
        key = {PK: {"S": name}}
        answer = _genuine(attempt(lambda: self._reader.get_item(TableName=self._table, Key=key, ConsistentRead=True)))
        if isinstance(answer, Fault):
            raise unavailable(f"The connection {name} cannot be read", answer, "the table of connections")
        if "Item" not in answer:
            raise not_found(name)
        return read_record(answer["Item"])

    def claim(self, request: "Request") -> Record | Refused | Fault:
        """Change an item, with retries; return the item as it was."""
        return self._change(self._claimer, request)

    def write(self, request: "Request") -> Record | Refused | Fault:
        """Change an item, in one attempt; return the item as it was."""
        return self._change(self._writer, request)

    def _change(self, client: "Callable[[], DynamoDBClient]", request: "Request") -> Record | Refused | Fault:
        def call() -> Mapping[str, Any] | Refused:
            try:
                return client().update_item(TableName=self._table, **request)
            except ClientError as error:
                response: Mapping[str, Any] = error.response
                if response.get("Error", {}).get("Code") != _REFUSED:
                    raise
            return Refused(read_record(response["Item"]) if response.get("Item") else None)

        answer = attempt(call)
        if isinstance(answer, Refused):
            return answer if answer.actual else self.looked_up(request["Key"][PK]["S"])
        genuine = _genuine(answer)
        return genuine if isinstance(genuine, Fault) else read_record(genuine.get("Attributes", {}))

    def looked_up(self, name: str) -> Refused | Fault:
        """Read an item whose change was refused without showing it, or not answered."""
        try:
            return Refused(self.read(name))
        except ConnectionNotFoundException:
            return Refused(None)
        except SecretUnavailableException:
            return Fault("other", "no answer")


def not_found(name: str) -> ConnectionNotFoundException:
    """Return the error for a connection that there is not."""
    return ConnectionNotFoundException(
        f"There is no connection {name}. Check its name with `tokenctl connections list`, or connect it with "
        f"`tokenctl connections authorize {name}`."
    )


def unavailable(what: str, fault: Fault, of: str) -> RefreshTokenError:
    """Return the error for something that cannot be read now, or that the function may not read."""
    error = SecretUnavailableException(
        f"{what} ({fault.code}). Check that {of} exists and that the function's role may use it: `tokenctl doctor` "
        "finds what somebody has changed. If AWS fails, try again later."
    )
    error.passing = fault.kind == "connection" or fault.status >= SERVER_ERROR or fault.code in _BUSY
    return error


def _genuine(answer: Mapping[str, Any] | Fault) -> Mapping[str, Any] | Fault:
    """Return the answer if DynamoDB gave it. botocore turns a 200 with an HTML page into an empty answer."""
    if isinstance(answer, Fault):
        return answer
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    strange = "html" in str(headers.get("content-type", ""))
    return Fault("other", "the answer did not come from DynamoDB") if strange else answer

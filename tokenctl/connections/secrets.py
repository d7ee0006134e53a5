"""Reading token pairs from secrets whose names begin alike: one secret for each connection."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from tokenctl.connections.fleet import Fleet
from tokenctl.connections.json_lines import Document, Fault, parse_document
from tokenctl.connections.many import for_each
from tokenctl.connections.sources import Given
from tokenctl.errors import UsageError
from tokenctl.stack.aws_errors import translate_aws_errors

CHUNK: Final = 200
"""How many secrets are held at the same time."""

_EMPTY: Final = "it has no value, or is gone"


class Secrets:
    """The secrets whose names are a prefix and the name of a connection.

    Raises:
        UsageError: the prefix is empty, as that of an unset variable of a shell.
        ServiceError, ConfigurationError: Secrets Manager fails or denies access, also in `read`.

    """

    def __init__(self, fleet: Fleet, prefix: str) -> None:
        if not prefix.strip():
            raise UsageError("--secrets-prefix is empty. Give the beginning of the secrets' names.")
        self._prefix = prefix
        self._client = fleet.client("secretsmanager")
        with translate_aws_errors():
            pages = self._client.get_paginator("list_secrets").paginate(Filters=[{"Key": "name", "Values": [prefix]}])
            names = [found["Name"] for page in pages for found in page["SecretList"]]
        self._names = [name for name in names if name.startswith(prefix)]

    @property
    def length(self) -> int:
        """How many secrets there are."""
        return len(self._names)

    def read(self) -> Iterator[Given]:
        """Yield the object in each secret or what is wrong with it, and when its version was created."""
        for first in range(0, len(self._names), CHUNK):
            numbers = range(first, min(first + CHUNK, len(self._names)))
            found = dict(for_each(numbers, self._document))
            yield from (Given(number, *found[number], position=number + 1) for number in numbers)

    def place(self, number: int) -> str:
        """Return the secret's name."""
        return f"secret {self._names[number]}"

    def _document(self, number: int) -> tuple[Document | Fault, datetime]:
        name = self._names[number]
        with translate_aws_errors():
            return _read(self._client, name, name.removeprefix(self._prefix))


def _read(client: Any, name: str, connection: str) -> tuple[Document | Fault, datetime]:  # noqa: ANN401 - a boto3 client
    try:
        value = client.get_secret_value(SecretId=name)
    except client.exceptions.ResourceNotFoundException:
        return Fault(_EMPTY), datetime.now(UTC)
    created: datetime = value["CreatedDate"].astimezone(UTC)
    if "SecretString" not in value:
        return Fault("it is binary" if "SecretBinary" in value else _EMPTY), created
    try:
        document = parse_document(value["SecretString"].removeprefix("\ufeff"))
    except Fault as fault:
        return fault, created
    if document.setdefault("connection", connection) != connection:
        return Fault("its `connection` is another one than its name says"), created
    return document, created

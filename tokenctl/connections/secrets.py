"""Reading token pairs from secrets whose names begin alike: one secret for each connection."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from tokenctl.connections.fleet import Fleet
from tokenctl.connections.json_lines import Document, Fault, parse_document
from tokenctl.connections.many import for_each
from tokenctl.errors import UsageError
from tokenctl.stack.aws_errors import translate_aws_errors

_EMPTY: Final = "it has no value, or is gone"


def read_secrets(fleet: Fleet, prefix: str) -> Iterator[tuple[str, Document | Fault, datetime]]:
    """Yield each secret's name, the object in it or what is wrong with it, and when its version was created.

    What follows the prefix is the name of the connection.

    Raises:
        UsageError: the prefix is empty, as that of an unset variable of a shell.
        ServiceError, ConfigurationError: Secrets Manager fails or denies access.

    """
    if not prefix.strip():
        raise UsageError("--secrets-prefix is empty. Give the beginning of the secrets' names.")
    client = fleet.client("secretsmanager")
    names: list[str] = []
    with translate_aws_errors():
        pages = client.get_paginator("list_secrets").paginate(Filters=[{"Key": "name", "Values": [prefix]}])
        for page in pages:
            names += [found["Name"] for found in page["SecretList"] if found["Name"].startswith(prefix)]

    def read(name: str) -> tuple[Document | Fault, datetime]:
        with translate_aws_errors():
            return _read(client, name, name.removeprefix(prefix))

    found = dict(for_each(names, read))
    yield from ((name, *found[name]) for name in names)


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

"""Exporting connections: their documents, with opened tokens, as `import` takes them."""

import json
from collections.abc import Iterable, Iterator

from refresh_token.fleet.record import Record
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.many import for_each
from tokenctl.connections.sealing import Seal
from tokenctl.connections.table import Table


def export(fleet: Fleet, names: Iterable[str]) -> Iterator[tuple[str, str | None]]:
    """Yield the name of each connection with its line of JSON, None if it is gone or holds no token.

    Raises:
        ServiceError, ConfigurationError: DynamoDB or KMS fails or denies access.

    """
    table, seal = Table(fleet), Seal(fleet)

    def read(name: str) -> str | None:
        record = table.find(name)
        return None if record is None or {record.access, record.refresh} == {None} else _line(record, seal)

    yield from for_each(names, read)


def _line(record: Record, seal: Seal) -> str:
    access = record.access if isinstance(record.access, str) else seal.open(record.name, record.access or ())
    refresh = seal.open(record.name, record.refresh or ())
    own = {"policy": record.policy, "params": dict(record.params)}
    document = json.loads(record.document(access or None, refresh or None))
    return json.dumps({"connection": record.name, **document, **{key: value for key, value in own.items() if value}})

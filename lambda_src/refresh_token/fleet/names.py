"""Names of connections, and the shards that they fall into. Pure."""

import re
from hashlib import sha256
from typing import Final

NAME_RULE: Final = (
    "must be one or two parts with `/` between them, each of 1 to 64 letters, digits, `.`, `_` and `-`, such as "
    "`acme/u1`. Use ids, never e-mail addresses"
)
"""The rule of `is_name`, to follow the word for a name."""

SLOTS: Final = 16
"""Shards of each index. A key of an index takes 1,000 writes a second (Amazon DynamoDB Developer Guide, "Best practices
for designing and using partition keys"), so one key for all connections would limit a fleet."""

_PART: Final = r"[A-Za-z0-9._-]{1,64}"
_NAME: Final = re.compile(rf"{_PART}(/{_PART})?")


def is_name(value: object) -> bool:
    """Tell whether a value can be the name of a connection."""
    return isinstance(value, str) and bool(_NAME.fullmatch(value))


def tenant_of(name: str) -> str:
    """Return the part of a name before the slash, which all connections of a tenant share."""
    return name.partition("/")[0]


def shard_of(name: str) -> str:
    """Return the shard of a connection, one hexadecimal digit. It never changes."""
    return sha256(name.encode()).hexdigest()[0]


def slot_of(provider: str, name: str) -> str:
    """Return the key of a connection in the index of due connections."""
    return f"{provider}#{shard_of(name)}"


def slots_of(provider: str) -> tuple[str, ...]:
    """Return every key that connections of a provider, or with a state, can have in an index."""
    return tuple(f"{provider}#{shard:x}" for shard in range(SLOTS))

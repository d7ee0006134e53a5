"""What the queue carries: which connection is due, and the lease that its worker acts under. Pure.

A worker acts only while the item still has the `dueAt` of its message. So a message that comes late, twice or out of
order changes nothing, and one that is lost is sent again when the lease has ended.
"""

import json
from typing import NamedTuple

from refresh_token.fleet.names import is_name


class Work(NamedTuple):
    """A connection to look after; ``due_at`` is the lease's end, in epoch seconds."""

    connection: str
    due_at: int

    def to_body(self) -> str:
        """Return the body of the message."""
        return json.dumps({"connection": self.connection, "dueAt": self.due_at}, separators=(",", ":"))


def read_work(body: object) -> Work | None:
    """Read the body of a message, None if a dispatcher did not write it."""
    if not isinstance(body, str):
        return None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    connection, due_at = document.get("connection"), document.get("dueAt")
    if not isinstance(connection, str) or not is_name(connection) or type(due_at) is not int:
        return None
    return Work(connection, due_at)

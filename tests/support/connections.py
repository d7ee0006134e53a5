"""Lines of JSON that describe connections. Each token has `canary` in it."""

import json
from collections.abc import Iterable

REFRESH = "canary-refresh-{}"


def line(name: str, **more: object) -> str:
    """Return the line of a connection, with a refresh token of its own."""
    return json.dumps({"connection": name, "refreshToken": REFRESH.format(name), **more})


def lines(names: Iterable[str], **more: object) -> str:
    return "\n".join(line(name, **more) for name in names)

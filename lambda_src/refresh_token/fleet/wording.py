"""Makes an error of the core one about a connection of a fleet: its messages are written for a single secret. Pure."""

import re
from typing import Final, TypeVar

from refresh_token.errors import RefreshTokenError

_COMMAND: Final = re.compile(r"\btokenctl (authorize|seed|refresh|revoke)\b")
"""Commands that there are for a connection, too: `tokenctl connections authorize acme/u1`."""

Error = TypeVar("Error", bound=RefreshTokenError)


def about(error: Error, connection: str) -> Error:
    """Return the same error, whose message names the connection and the commands for it."""
    text = _COMMAND.sub(rf"tokenctl connections \1 {connection}", str(error))
    text = re.sub(r"\bThe secret (?=holds|is)", f"The connection {connection} ", text)
    error.args = (text if connection in text else f"Connection {connection}: {text}",)
    return error

"""The connection of a fleet that a client asks for: the rule for its name, and the questions about it."""

import re
from collections.abc import Mapping
from typing import Final

from token_client.answers import Received
from token_client.calls import Ask
from token_client.errors import ClientConfigurationException, UnexpectedAnswerException

_PART: Final = r"[A-Za-z0-9._-]{1,64}"
NAME: Final = re.compile(f"{_PART}(/{_PART})?")
"""The function's own rule (`refresh_token.fleet.names`): an id, or a tenant and an id."""


def checked(name: str) -> str:
    """Return a connection's name.

    Raises:
        ClientConfigurationException: no connection can have it. The message leaves the name out: it may be a token.

    """
    if isinstance(name, str) and NAME.fullmatch(name):
        return name
    raise ClientConfigurationException(
        "This is not the name of a connection. Pass an id, or a tenant and an id such as acme/u1: one or two parts "
        "with a slash between them, each of 1 to 64 letters, digits, dots, hyphens and underscores."
    )


def asking_for(connection: str, ask: Ask) -> Ask:
    """Return `ask` for one connection. An answer about another connection is an error, and its token is dropped."""

    def ask_for(event: Mapping[str, str], *, patient: bool) -> Received:
        received = ask({"connection": connection, **event}, patient=patient)
        if received.token.connection == connection:
            return received
        raise UnexpectedAnswerException(
            f"The function's answer is not about the connection {connection}. Check that the client was given the "
            "function of the fleet, the ARN in the parameter /RefreshToken/<stage>/connections-function-arn."
        )

    return ask_for

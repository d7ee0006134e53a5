"""Parses the events of consumers of a fleet: `{"connection": "acme/u1"}`, alone, with a report or with a force. Pure.

Messages name keys, never values: a value may be a misplaced token.
"""

from dataclasses import dataclass, field
from typing import Final

from refresh_token.events import Request, invalid, parse_kind, reject_unknown
from refresh_token.fleet.names import NAME_RULE, is_name

_KEYS: Final = ("connection", "provider", "failedVersionId", "force")


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody wants of a connection. ``provider`` is what the caller takes for its provider, if it says so."""

    connection: str
    request: Request
    provider: str | None = field(default=None, repr=False)  # not checked yet: it may be a misplaced token


def parse_question(event: object) -> Question:
    """Return the question in a Lambda event.

    Raises:
        InvalidParameterException: the event is not one that the fleet takes; the message names the keys at fault.

    """
    if not isinstance(event, dict):
        raise invalid("The event must be a JSON object")
    reject_unknown(event, _KEYS, "The event")
    name, provider = event.get("connection"), event.get("provider")
    if "connection" not in event:
        raise invalid("`connection` is required: the name of the connection whose token you want, such as `acme/u1`")
    if not is_name(name):
        raise invalid(f"`connection` {NAME_RULE}")
    if "provider" in event and not isinstance(provider, str):
        raise invalid("`provider` must be a string")
    return Question(str(name), parse_kind(event), provider)

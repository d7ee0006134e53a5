"""From a Lambda event to a typed request. Every rejection of a request is here.

Messages name keys, never values: a value may be a token in the wrong place.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from refresh_token.errors import InvalidParameterException
from refresh_token.token_pair import PROVIDER, is_text


@dataclass(frozen=True, slots=True)
class AskToken:
    """A consumer asks for a live token."""


@dataclass(frozen=True, slots=True)
class ReportFailure:
    """A consumer says that the token of a version was rejected."""

    version_id: str = field(repr=False)  # unchecked: somebody may pass a token here


@dataclass(frozen=True, slots=True)
class Force:
    """An operator wants a refresh now."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """The bare RefreshToken operation."""

    token: str = field(repr=False)
    client_id: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Tick:
    """The schedule looks in; ``event_id`` is EventBridge's, if it sent one."""

    event_id: str | None = None


Request = AskToken | ReportFailure | Force | Exchange | Tick

_SOURCES: Final = ("aws.scheduler", "aws.events")
_KEYS: Final = ("provider", "failedVersionId", "force", "refreshTokenBody")
_BODY_KEYS: Final = ("token", "clientId")
_ENVELOPE: Final[Mapping[str, type | tuple[type, ...]]] = {
    **dict.fromkeys(("version", "id", "detail-type", "source", "account", "time", "region", "replay-name"), str),
    "resources": list,
    "detail": (dict, str),  # Scheduler sends it as text where the schedule has no input of its own
}
_NAME: Final = re.compile(r"[A-Za-z_]{1,32}|[A-Za-z_][A-Za-z0-9_-]{0,11}")
"""What a key looks like. Tokens and client ids have digits and more than a dozen characters."""

_ID: Final = re.compile(r"[0-9a-z-]{1,36}")
"""An id of EventBridge: a UUID, or 16 small letters and digits. Tokens and client ids have capitals."""

_MAX_SHOWN_KEYS: Final = 5


def parse_event(event: object) -> Request:
    """Return the request that a Lambda event makes.

    Raises:
        InvalidParameterException: the event is none of contract 1; the message names the keys at fault.

    """
    if not isinstance(event, dict):
        raise _invalid("The event must be a JSON object")
    tick = event.get("source") in _SOURCES
    if not tick:
        _no_others(event, _KEYS, "The event")
    if "provider" in event:
        if not isinstance(event["provider"], str):
            raise _invalid("`provider` must be a string")
        if event["provider"] != PROVIDER:
            raise _invalid(f"`provider` must be `{PROVIDER}`, the only one there is")
    if tick:
        return _tick(event)
    wishes = [key for key in _KEYS[1:] if key in event]
    if len(wishes) > 1:
        raise _invalid(f"{_listed(wishes)} exclude each other")
    return _PARSERS[wishes[0]](event) if wishes else AskToken()


def _tick(event: Mapping[str, object]) -> Tick:
    """Read an EventBridge envelope (User Guide, "Event structure reference"); a bare one will do."""
    _no_others(event, (*_ENVELOPE, "provider"), "The EventBridge event")
    for key, kinds in _ENVELOPE.items():
        if key in event and not isinstance(event[key], kinds):
            raise _invalid(f"`{key}` has the wrong type for an EventBridge event")
    event_id = event.get("id")
    return Tick(event_id if isinstance(event_id, str) and _ID.fullmatch(event_id) else None)


def _report(event: Mapping[str, object]) -> ReportFailure:
    version_id = event["failedVersionId"]
    if not isinstance(version_id, str) or not is_text(version_id):
        raise _invalid(
            "`failedVersionId` must be a non-empty string: the `versionId` that came with the rejected token"
        )
    return ReportFailure(version_id)


def _force(event: Mapping[str, object]) -> Force:
    if event["force"] is not True:
        raise _invalid("`force` must be true; leave it out to just ask for a token")
    return Force()


def _exchange(event: Mapping[str, object]) -> Exchange:
    if "provider" not in event:
        raise _invalid("`provider` is required with `refreshTokenBody`")
    body = event["refreshTokenBody"]
    if not isinstance(body, dict):
        raise _invalid("`refreshTokenBody` must be an object")
    _no_others(body, _BODY_KEYS, "`refreshTokenBody`")
    if "token" not in body:
        raise _invalid("`refreshTokenBody.token` is required")
    token = body["token"]
    client_id = body.get("clientId")
    if not isinstance(token, str) or not is_text(token):
        raise _invalid("`refreshTokenBody.token` must be a non-empty string")
    if "clientId" in body and not is_text(client_id):
        raise _invalid("`refreshTokenBody.clientId` must be a non-empty string")
    return Exchange(token, client_id if isinstance(client_id, str) else None)


_PARSERS: Final[Mapping[str, Callable[[Mapping[str, object]], Request]]] = {
    "failedVersionId": _report,
    "force": _force,
    "refreshTokenBody": _exchange,
}


def _no_others(given: Mapping[str, object], known: tuple[str, ...], where: str) -> None:
    unknown = [key for key in given if key not in known]
    if unknown:
        raise _invalid(f"{where} has unknown keys {_listed(unknown)}; known are {_listed(known)}")


def _listed(keys: list[str] | tuple[str, ...]) -> str:
    """Return a few of the keys for a message. What cannot be a name is not shown: it may be a value, misplaced."""
    shown = [f"`{key}`" if _NAME.fullmatch(key) else "(not a name)" for key in keys[:_MAX_SHOWN_KEYS]]
    more = len(keys) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _invalid(why: str) -> InvalidParameterException:
    return InvalidParameterException(f"{why}.")

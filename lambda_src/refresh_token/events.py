"""Parses a Lambda event into a typed request. Every rejection of a request happens here.

The docstrings of the requests say what the caller means and gets: `docs/events.md` is made of them.

Messages name keys, never values: a value may be a misplaced token.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from refresh_token.core.text import CREDENTIAL_RULE, is_credential, is_text
from refresh_token.core.token_pair import PROVIDER
from refresh_token.errors import InvalidParameterException


@dataclass(frozen=True, slots=True)
class AskToken:
    """Give me a live access token.

    Answer: a token answer.
    """


@dataclass(frozen=True, slots=True)
class ReportFailure:
    """The API rejected the token of this version.

    Answer: a token answer. The function refreshes first if the version is still current and at least 30 seconds old.
    """

    version_id: str = field(repr=False)  # not checked: it may be a misplaced token


@dataclass(frozen=True, slots=True)
class Force:
    """Refresh now, whatever the cooldown says; every token handed out so far dies.

    Answer: a token answer.
    """


@dataclass(frozen=True, slots=True)
class Exchange:
    """The bare RefreshToken operation; `clientId` is optional.

    Answer: exactly `{"accessToken", "expiresIn"}`. Nothing is stored, unless the token is the stored refresh token:
    then the function refreshes the stored pair as usual, with the stored client id.
    """

    token: str = field(repr=False)
    client_id: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Tick:
    """Look at the token, and refresh it if it is due. Any event with this `source`, or `aws.events`, is a tick.

    Answer: `outcome`, `versionId` and `expiresAt`; never a token.
    """

    event_id: str | None = None
    """EventBridge's id of the run, if it sent one."""


Request = AskToken | ReportFailure | Force | Exchange | Tick

_SOURCES: Final = ("aws.scheduler", "aws.events")
_KEYS: Final = ("provider", "failedVersionId", "force", "refreshTokenBody")
_BODY_KEYS: Final = ("token", "clientId")
_ENVELOPE: Final[Mapping[str, type | tuple[type, ...]]] = {
    **dict.fromkeys(("version", "id", "detail-type", "source", "account", "time", "region", "replay-name"), str),
    "resources": list,
    "detail": (dict, str),  # Scheduler sends text if the schedule has no input of its own
}
_NAME: Final = re.compile(r"[A-Za-z_]{1,32}|[A-Za-z_][A-Za-z0-9_-]{0,11}")
"""The form of a key. Tokens and client ids have digits and more than a dozen characters."""

_ID: Final = re.compile(r"[0-9a-z-]{1,36}")
"""The form of an EventBridge id: a UUID, or 16 lower-case letters and digits. Tokens and client ids have capitals."""

_MAX_SHOWN_KEYS: Final = 5


def parse_event(event: object, provider: str = PROVIDER) -> Request:
    """Return the request that a Lambda event makes of a function for ``provider``.

    Raises:
        InvalidParameterException: the event is not one that the function takes; the message names the keys at fault.

    """
    if not isinstance(event, dict):
        raise invalid("The event must be a JSON object")
    tick = event.get("source") in _SOURCES
    if not tick:
        reject_unknown(event, _KEYS, "The event")
    if "provider" in event:
        if not isinstance(event["provider"], str):
            raise invalid("`provider` must be a string")
        if event["provider"] != provider:
            raise invalid(f"`provider` must be `{provider}`, the provider of this function")
    if tick:
        return _tick(event)
    return parse_kind(event)


def parse_kind(event: Mapping[str, object]) -> Request:
    """Return what an event, whose keys are known ones, asks for."""
    kinds = [key for key in _PARSERS if key in event]
    if len(kinds) > 1:
        raise invalid(f"{_listed(kinds)} cannot be combined: send one of them")
    return _PARSERS[kinds[0]](event) if kinds else AskToken()


def _tick(event: Mapping[str, object]) -> Tick:
    """Parse an EventBridge envelope (User Guide, "Event structure reference"); only ``source`` is required."""
    reject_unknown(event, (*_ENVELOPE, "provider"), "The EventBridge event")
    for key, kinds in _ENVELOPE.items():
        if key in event and not isinstance(event[key], kinds):
            raise invalid(f"`{key}` has the wrong type for an EventBridge event")
    event_id = event.get("id")
    return Tick(event_id if isinstance(event_id, str) and _ID.fullmatch(event_id) else None)


def _report(event: Mapping[str, object]) -> ReportFailure:
    version_id = event["failedVersionId"]
    if not isinstance(version_id, str) or not is_text(version_id):
        raise invalid("`failedVersionId` must be a non-empty string: the `versionId` that came with the rejected token")
    return ReportFailure(version_id)


def _force(event: Mapping[str, object]) -> Force:
    if event["force"] is not True:
        raise invalid("`force` must be true; leave it out to get a token without a refresh")
    return Force()


def _exchange(event: Mapping[str, object]) -> Exchange:
    if "provider" not in event:
        raise invalid("`provider` is required with `refreshTokenBody`")
    body = event["refreshTokenBody"]
    if not isinstance(body, dict):
        raise invalid("`refreshTokenBody` must be an object")
    reject_unknown(body, _BODY_KEYS, "`refreshTokenBody`")
    if "token" not in body:
        raise invalid("`refreshTokenBody.token` is required")
    return Exchange(_credential(body, "token"), _credential(body, "clientId") if "clientId" in body else None)


def _credential(body: Mapping[str, object], key: str) -> str:
    value = body[key]
    if is_credential(value):
        return value
    raise invalid(f"`refreshTokenBody.{key}` {CREDENTIAL_RULE}")


_PARSERS: Final[Mapping[str, Callable[[Mapping[str, object]], Request]]] = {
    "failedVersionId": _report,
    "force": _force,
    "refreshTokenBody": _exchange,
}


def reject_unknown(given: Mapping[str, object], known: tuple[str, ...], where: str) -> None:
    """Raise an InvalidParameterException if a part of the event has other keys than these."""
    unknown = [key for key in given if key not in known]
    if unknown:
        raise invalid(f"{where} has unknown keys {_listed(unknown)}; the known keys are {_listed(known)}")


def _listed(keys: list[str] | tuple[str, ...]) -> str:
    """Return the first few keys for a message. One that does not look like a name may be a misplaced value: hide it."""
    shown = [f"`{key}`" if _NAME.fullmatch(key) else "(not a name)" for key in keys[:_MAX_SHOWN_KEYS]]
    more = len(keys) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def invalid(why: str) -> InvalidParameterException:
    """Return the error for an event that breaks a rule."""
    return InvalidParameterException(f"{why}.")

"""Reads the payload that Lambda's Invoke returned: a token answer, or the error that the function raised."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from token_client.errors import (
    CONTRACT,
    FunctionCrashedException,
    FunctionError,
    FunctionTimedOutException,
    UnexpectedAnswerException,
    UnknownFunctionException,
)
from token_client.tokens import Api, Token

MAX_MESSAGE_LENGTH: Final = 1000
MAX_SECONDS: Final = 10**10
"""The function reads a larger number as something else than seconds."""

_TYPE_NAME: Final = re.compile(r"[A-Za-z_][\w.]{0,79}", re.ASCII)
_FIGMA_TOKEN: Final = re.compile(r"fig[a-z]{0,2}_\S+", re.IGNORECASE)

_SEE_LOG: Final = "See the function's log"


@dataclass(frozen=True, slots=True)
class Received:
    """A token, and the whole seconds it had left when the function answered."""

    token: Token
    expires_in: int


def token_of(payload: bytes) -> Received:
    """Read a token answer.

    Raises:
        UnexpectedAnswerException: the payload is not a token answer, or no header can carry its token.

    """
    match _json_object(payload):
        case {
            "accessToken": str(access_token),
            "versionId": str(version_id),
            "expiresIn": int(expires_in),
            "state": str(state),
            **more,
        } if not isinstance(expires_in, bool) and abs(expires_in) < MAX_SECONDS and version_id:
            token = Token(
                access_token,
                version_id,
                state,
                _time_of(more.get("expiresAt")),
                refreshed_at=_time_of(more.get("refreshedAt")),
                scope=_text_of(more.get("scope")),
                values={name: value for name, value in _members_of(more.get("values")).items() if _is_value(value)},
                api=_api_of(_members_of(more.get("api"))),
                connection=_text_of(more.get("connection")),
            )
            if provider := _text_of(more.get("provider")):
                token = replace(token, provider=provider)
            _ = token.headers  # raises if no request can carry the token
            return Received(token, expires_in)
    raise UnexpectedAnswerException(
        "The function's answer is not a token answer. Check that the client was given the name of the refresh "
        "function. If it was, the client and the function have different versions: update the older one."
    )


def error_of(payload: bytes) -> FunctionError:
    """Return the error in the payload, which the function raised or Lambda reported for it."""
    members = _json_object(payload)
    name, message = str(members.get("errorType", "")), str(members.get("errorMessage", ""))
    name = name if _TYPE_NAME.fullmatch(name) else ""
    error = _error_named(name, message)
    error.error_type = name
    return error


def _error_named(name: str, message: str) -> FunctionError:
    if known := CONTRACT.get(name):
        return known(_safe_line(message) or f"The function raised {known.__name__}. {_SEE_LOG}.")
    if name == "Sandbox.Timedout" or "Task timed out after" in message:
        return FunctionTimedOutException(
            "The function reached its own timeout. It may have finished its work all the same: try again. "
            f"{_SEE_LOG} if this persists."
        )
    if name.startswith(("Runtime.", "Extension.", "Sandbox.")):
        return FunctionCrashedException(
            f"The function could not start or ended early ({name}). {_SEE_LOG}; deploying the stack again may fix it."
        )
    # The message is left out: only the function's own errors promise that they hold no token.
    return UnknownFunctionException(
        f"The function raised {name or 'an error without a name'}, which this version of the client does not know. "
        f"{_SEE_LOG}, and check for a newer version of the client."
    )


def _safe_line(message: str) -> str:
    """Return a message as one line. The function promises that no message holds a token; this is a second safeguard."""
    return _FIGMA_TOKEN.sub("(hidden)", " ".join(message.split()))[:MAX_MESSAGE_LENGTH]


def _json_object(payload: bytes) -> Mapping[str, Any]:
    try:
        members = json.loads(payload)
    except ValueError:
        members = None
    return members if isinstance(members, dict) else {}


def _members_of(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text_of(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _is_value(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _api_of(given: Mapping[str, Any]) -> Api:
    texts = {name: given[name] for name in ("base", "header", "scheme") if isinstance(given.get(name), str)}
    headers = {name: value for name, value in _members_of(given.get("headers")).items() if isinstance(value, str)}
    return Api(**texts, headers=headers)


def _time_of(text: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(text) if isinstance(text, str) else None
        return time and time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None

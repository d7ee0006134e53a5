"""From what Lambda's Invoke returned to a token, or to the error that it tells of."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from token_client.errors import (
    CONTRACT,
    ConfigurationException,
    FunctionCrashedException,
    FunctionError,
    FunctionTimedOutException,
    InvalidParameterException,
    IssuerProtocolException,
    IssuerUnavailableException,
    ReauthorizationRequiredException,
    RefreshInProgressException,
    SecretMalformedException,
    SecretNotSeededException,
    SecretUnavailableException,
    TokenNotStoredException,
    UnexpectedAnswerException,
    UnknownFunctionException,
)
from token_client.tokens import Token

_LONGEST_MESSAGE: Final = 1000
_TYPE_NAME: Final = re.compile(r"[A-Za-z_][\w.]{0,79}", re.ASCII)
_HEADER_SAFE: Final = re.compile(r"[!-~]+")
_FIGMA_TOKEN: Final = re.compile(r"fig[a-z]{0,2}_\S+", re.IGNORECASE)

_SEE_LOG: Final = "See the function's log"

_HANDLER_ERROR: Final = "Runtime.HandlerError"
_REASON_IN_MESSAGE: Final = re.compile(r"The last refresh of this version failed \((\w+)\)")
_BY_MESSAGE: Final[tuple[tuple[str, type[FunctionError]], ...]] = (
    ("holds no token pair yet", SecretNotSeededException),
    ("The secret is empty", SecretNotSeededException),
    ("The secret is not a token pair", SecretMalformedException),
    ("The secret cannot be read", SecretUnavailableException),
    ("refuses the refresh token", ReauthorizationRequiredException),
    ("The issuer could not be used", IssuerUnavailableException),
    ("The lock table does not answer", IssuerUnavailableException),
    ("answer makes no sense", IssuerProtocolException),
    ("being refreshed by another invocation", RefreshInProgressException),
    ("has expired already", RefreshInProgressException),
    ("is left to begin a refresh", RefreshInProgressException),
    ("could not be stored", TokenNotStoredException),
    ("environment is wrong", ConfigurationException),
    ("can be made", ConfigurationException),
    ("may not call", ConfigurationException),
    ("The lock table cannot be used", ConfigurationException),
    ("unknown keys", InvalidParameterException),
    ("must be", InvalidParameterException),
)
"""Local AWS emulators name every error ``Runtime.HandlerError``; there the function's own words tell them apart."""


@dataclass(frozen=True, slots=True)
class Received:
    """A token, and how long it had to live when the function looked at it: whole seconds."""

    token: Token
    expires_in: int


def token_of(payload: bytes) -> Received:
    """Read a token answer of the function.

    Raises:
        UnexpectedAnswerException: it is something else.

    """
    match _json_object(payload):
        case {
            "accessToken": str(access_token),
            "versionId": str(version_id),
            "expiresIn": int(expires_in),
            "state": str(state),
            **more,
        } if not isinstance(expires_in, bool) and _HEADER_SAFE.fullmatch(access_token) and version_id:
            return Received(Token(access_token, version_id, state, _time_of(more.get("expiresAt"))), expires_in)
    raise UnexpectedAnswerException(
        "The function's answer is not a token answer. Check that the name is that of the refresh function; if it is, "
        "client and function are of different versions: update the older one."
    )


def error_of(payload: bytes) -> FunctionError:
    """Return the error that the function, or Lambda in its place, reported as the payload."""
    members = _json_object(payload)
    name, message = str(members.get("errorType", "")), str(members.get("errorMessage", ""))
    name = name if _TYPE_NAME.fullmatch(name) else ""
    error = _named(name, message)
    error.error_type = name
    return error


def _named(name: str, message: str) -> FunctionError:
    known = CONTRACT.get(name) or (_by_message(message) if name == _HANDLER_ERROR else None)
    if known:
        return known(_shown(message) or f"The function raised {known.__name__}. {_SEE_LOG}.")
    if name == "Sandbox.Timedout" or "Task timed out after" in message:
        return FunctionTimedOutException(
            "The function reached its own timeout. What it was doing may have been done all the same: ask again. "
            f"{_SEE_LOG} if it stays."
        )
    if name.startswith(("Runtime.", "Extension.", "Sandbox.")) and name != _HANDLER_ERROR:
        return FunctionCrashedException(
            f"The function could not run or ended early ({name}). {_SEE_LOG}; deploying the stack again may mend it."
        )
    # Its message is not repeated: nobody promises that it holds no token.
    return UnknownFunctionException(
        f"The function raised {name or 'an error without a name'}, which this version of the client does not know. "
        f"{_SEE_LOG}, and look for a newer version of the client."
    )


def _by_message(message: str) -> type[FunctionError] | None:
    if reason := _REASON_IN_MESSAGE.search(message):
        return CONTRACT.get(reason[1])
    return next((error for words, error in _BY_MESSAGE if words in message), None)


def _shown(message: str) -> str:
    """Return a message in one line. The function promises that none holds a token; this is the second lock."""
    return _FIGMA_TOKEN.sub("(hidden)", " ".join(message.split()))[:_LONGEST_MESSAGE]


def _json_object(payload: bytes) -> Mapping[str, Any]:
    try:
        members = json.loads(payload)
    except ValueError:
        members = None
    return members if isinstance(members, dict) else {}


def _time_of(text: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return time if time is None or time.tzinfo is None else time.astimezone(UTC)

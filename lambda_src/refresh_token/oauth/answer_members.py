"""Where an answer's members are: a provider's own places, read as leniently as the standard's.

What is found in the profile's places gets the standard's names, so that everything else reads one kind of answer.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from refresh_token.core.text import MAX_ACCESS_TOKEN_LENGTH, is_access_token
from refresh_token.core.windows import whole_number
from refresh_token.oauth.profile_answers import Answer
from refresh_token.oauth.responses import TokenResponse

LIFETIMES: Final = ("expires_in", "expires_on", "expires_at")
"""Members for the life of an access token. Azure AD's first endpoint has the second one, Strava the third."""

REFRESH_LIFETIMES: Final = (
    "refresh_token_expires_in",
    "refresh_expires_in",
    "x_refresh_token_expires_in",
    "refreshTokenExpiresIn",
    "refresh_token_expires_at",
)
"""Members for the lifetime of a refresh token. RFC 6749 has none: the first is GitHub's and LinkedIn's, the second is
Keycloak's, the third is QuickBooks Online's, the last is Pinterest's (their documentation of the token endpoint)."""

_SECONDS: Final[Mapping[str, float]] = {"seconds": 1, "milliseconds": 0.001, "minutes": 60, "moment": 1}
MIN_BODY: Final = 16
"""A body that is shorter is no token but a word, such as Unauthorized."""

_DOTS_OF_JWT: Final = 2
_MAX_DURATION: Final = 10**9
"""Larger numbers of seconds are moments, as everywhere (`core/windows.py`)."""


def in_standard_form(response: TokenResponse, answer: Answer) -> TokenResponse:
    """Return the response with the members of a token answer at the top, under the standard's names."""
    document = dict(response.document)
    rows: tuple[tuple[str, str, tuple[str, ...], Callable[[object], bool]], ...] = (
        ("access_token", answer.access_token, ("access_token",), is_access_token),
        ("refresh_token", answer.refresh_token, ("refresh_token",), _is_text),
        ("scope", answer.scope, ("scope",), lambda value: isinstance(value, str | list)),
        ("token_type", answer.token_type, ("token_type",), _is_text),
    )
    for name, path, standard, fits in rows:
        found = list(_values(response.document, (path, *standard), answer.inside))
        if found:
            document[name] = next((value for value in found if fits(value)), found[0])
    for name, path, standard in (
        ("expires_in", answer.expires_in, LIFETIMES),
        ("refresh_token_expires_in", answer.refresh_expires_in, REFRESH_LIFETIMES),
    ):
        if (life := _life(response.document, path, standard, answer)) is not None:
            document[name] = life
    if not answer.access_token and response.succeeded and _is_token(token := _whole_body(response.text)):
        document["access_token"] = token
    if not any(document.get(name) for name in LIFETIMES):
        document |= _expiry_in(document.get("access_token"))
    return replace(response, document=document)


def values_in(document: Mapping[str, object], paths: Mapping[str, str], inside: str = "") -> dict[str, object]:
    """Return the texts and numbers at the paths, by our names."""
    found = {name: list(_values(document, (path,), inside)) for name, path in paths.items()}
    return {name: values[0] for name, values in found.items() if values and isinstance(values[0], str | int | float)}


def _values(document: Mapping[str, object], paths: tuple[str, ...], inside: str) -> Iterator[object]:
    """Yield what is at the first path, then at the next ones: inside the member, then at the top."""
    inner = [at(document, inside)] if inside else []
    for path in dict.fromkeys(path for path in paths if path):
        for root in (*inner, document):
            if (value := at(root, path)) is not None:
                yield value
    first, _, last = paths[0].partition(".")
    if last and first not in document:  # an answer that was cut off, of which only members without their place are left
        yield from (value for value in [document.get(last.rpartition(".")[2])] if value is not None)


def at(root: object, path: str) -> object:
    """Return what is at a path of members and list indexes with dots between them, None if there is nothing."""
    if isinstance(root, Mapping) and path in root:
        return root[path]
    for name in path.split("."):
        if isinstance(root, list) and name.isascii() and name.isdigit() and int(name[:9]) < len(root):
            root = root[int(name)]
        elif isinstance(root, Mapping):
            root = root.get(name)
        else:
            return None
    return root


def _life(document: Mapping[str, object], path: str, standard: tuple[str, ...], answer: Answer) -> object:
    """Return a life in seconds or a moment since 1970; what cannot be read comes as it is, None if there is nothing."""
    own = list(_values(document, (path,), answer.inside))
    found = [_seconds(value, answer.expires_unit) for value in own]
    found += [_seconds(value, "moment") for value in _values(document, standard, answer.inside)]
    return next((value for value in found if whole_number(value) is not None), found[0] if found else None)


def _seconds(value: object, unit: str) -> object:
    number = whole_number(value)
    if number is not None:
        seconds = int(number * _SECONDS[unit])
        return seconds if seconds <= _MAX_DURATION else number
    try:
        moment = _moment(value.strip()) if isinstance(value, str) else None
        return value if moment is None else int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return value


def _moment(text: str) -> datetime:
    """Return the moment of a text in ISO 8601, or as in the header ``Date``."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return parsedate_to_datetime(text)


def _expiry_in(token: object) -> dict[str, object]:
    """Return when a token that is a JWT says that it expires (RFC 7519, 4.1.4). Nobody checks its signature here."""
    payload = token.split(".")[1] if isinstance(token, str) and token.count(".") == _DOTS_OF_JWT else ""
    try:
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError):
        return {}
    expiry = whole_number(claims.get("exp")) if isinstance(claims, dict) else None
    return {"expires_in": expiry} if expiry is not None and expiry > _MAX_DURATION else {}


def _whole_body(text: str) -> str:
    return text.strip().strip('"')[: MAX_ACCESS_TOKEN_LENGTH + 1]


def _is_token(body: str) -> bool:
    return len(body) >= MIN_BODY and is_access_token(body)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())

"""What a provider says beside the tokens that consumers need: `values`, `scope`, and how to call its API. Pure.

None of it may hold a token or a client secret: values may be logged, and the answers show them.
"""

from collections.abc import Collection, Mapping
from string import ascii_letters, digits
from typing import Final

Value = str | int | float
"""What a value can be: a text or a number. Truth values and what has parts are none."""

Api = Mapping[str, str | Mapping[str, str]]
"""How to call the provider's API, where that is not the usual way: ``base`` (its address), ``header`` (which carries
the token; default ``Authorization``), ``scheme`` (the word before the token; default ``Bearer``; "" for none), and
``headers`` (further ones to send)."""

MAX_VALUES: Final = 32
MAX_VALUE_LENGTH: Final = 2048
MAX_NAME_LENGTH: Final = 64
MAX_NUMBER: Final = 2**53
"""JSON's readers agree on whole numbers up to this one (RFC 8259, 6)."""

MIN_SECRET_LENGTH: Final = 8
"""A shorter secret may be part of a text by chance. So only a text that equals it counts as holding it."""

_TEXTS: Final = ("base", "header", "scheme")
_HEADER_CHARACTERS: Final = frozenset(ascii_letters + digits + "!#$%&'*+-.^_`|~")
_NOT_OURS: Final = frozenset({"host", "content-length", "transfer-encoding", "connection", "cookie"})
"""Headers that belong to the HTTP library, or to the consumer."""


def readable_values(given: object, secrets: Collection[str] = ()) -> dict[str, Value]:
    """Return the values among ``given`` that can be used, without those that hold one of ``secrets``."""
    if not isinstance(given, Mapping):
        return {}
    found = {
        name: value
        for name, value in given.items()
        if isinstance(name, str) and 0 < len(name) <= MAX_NAME_LENGTH and _is_value(value, secrets)
    }
    return found if len(found) <= MAX_VALUES else {}


def merged_values(old: Mapping[str, Value], new: Mapping[str, Value]) -> dict[str, Value]:
    """Return the values of an answer over the earlier ones. If they are too many to be read again, earlier ones go."""
    earlier = {name: value for name, value in old.items() if name not in new}
    return dict([*earlier.items(), *new.items()][-MAX_VALUES:])


def readable_scope(given: object, secrets: Collection[str] = ()) -> str | None:
    """Return the scopes of an answer as one text with spaces between them; some issuers send a list of them."""
    if isinstance(given, list) and all(isinstance(each, str) for each in given):
        given = " ".join(given)
    return given if isinstance(given, str) and given and _is_value(given, secrets) else None


def readable_api(given: object, secrets: Collection[str] = ()) -> Api:
    """Return the usable parts of ``given`` that say how to call the API."""
    if not isinstance(given, Mapping):
        return {}
    found: dict[str, str | Mapping[str, str]] = {
        name: text for name in _TEXTS if isinstance(text := given.get(name), str) and _is_line(text, secrets)
    }
    if not _is_header(found.get("header", "Authorization")):
        del found["header"]
    more = given.get("headers")
    headers = {
        name: text
        for name, text in (more.items() if isinstance(more, Mapping) else ())
        if _is_header(name) and isinstance(text, str) and _is_line(text, secrets)
    }
    return {**found, **({"headers": headers} if headers else {})}


def _is_value(value: object, secrets: Collection[str]) -> bool:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return False
    if not isinstance(value, str) and not -MAX_NUMBER <= value <= MAX_NUMBER:
        return False  # NaN as well
    text = str(value)
    return len(text) <= MAX_VALUE_LENGTH and text.isprintable() and not _holds(text, secrets)


def _is_line(text: str, secrets: Collection[str]) -> bool:
    """Tell whether a header can carry a text."""
    return len(text) <= MAX_VALUE_LENGTH and text.isascii() and text.isprintable() and not _holds(text, secrets)


def _is_header(name: object) -> bool:
    """Tell whether a name is that of a header (RFC 9110, 5.1) that we may send."""
    return (
        isinstance(name, str)
        and 0 < len(name) <= MAX_NAME_LENGTH
        and _HEADER_CHARACTERS.issuperset(name)
        and name.lower() not in _NOT_OURS
    )


def _holds(text: str, secrets: Collection[str]) -> bool:
    return any(secret in text if len(secret) >= MIN_SECRET_LENGTH else secret == text != "" for secret in secrets)

"""Rules for what an operator sets about an issuer. The function has the same rules, so no bad value is deployed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from refresh_token.oauth.addresses import HTTPS, HTTPS_OR_HTTP, is_url, url_rule
from refresh_token.oauth.client_auth import STANDARD
from refresh_token.oauth.issuers import RESERVED_FIELDS
from token_refresher.settings.rules import Choice, Text, Whole


def address(*, query: bool = False, http: bool = False) -> Text:
    """Return the rule for an issuer's address. `http` allows an unencrypted connection, for a stand-in."""
    schemes = HTTPS_OR_HTTP if http else HTTPS
    return Text(url_rule(schemes, query=query), lambda url: is_url(url, schemes, query=query))


def _is_scope(text: str) -> bool:
    return all(word and all("!" <= sign <= "~" and sign not in '"\\' for sign in word) for word in text.split(" "))


@dataclass(frozen=True)
class Strings:
    """A JSON object of strings, or a mapping of strings, without the `reserved` keys."""

    reserved: tuple[str, ...]

    def __str__(self) -> str:
        return f"must be a JSON object of strings, without {', '.join(self.reserved)}"

    def read(self, value: object) -> dict[str, str]:
        """Return the strings by their keys."""
        try:
            found: Any = json.loads(value) if isinstance(value, str) else value
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, Mapping) or not all(_can_be_sent(text) for pair in found.items() for text in pair):
            raise ValueError(str(self))
        if set(self.reserved) & set(found):
            raise ValueError(str(self))
        return dict(found)


CLIENT_AUTH: Final = Choice(STANDARD)
SCOPE: Final = Text("must be scopes with one blank between them (RFC 6749, 3.3)", _is_scope)
EXTRA_PARAMETERS: Final = Strings(RESERVED_FIELDS)
LIFETIME: Final = Whole(60, 31_536_000, "seconds, a year at most")


def _can_be_sent(text: object) -> bool:
    """Tell whether it is a text that UTF-8 can encode. JSON can hold a lone surrogate, which UTF-8 cannot encode."""
    try:
        return isinstance(text, str) and text.encode().decode() == text
    except UnicodeEncodeError:
        return False

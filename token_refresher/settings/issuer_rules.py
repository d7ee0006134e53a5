"""The issuers: whose a setting is, and what it must be.

The rules are those that the function has for its environment, so that what it would refuse is not deployed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from token_refresher.settings.reader import ContextReader
from token_refresher.settings.rules import Text, is_url

AMPLIFY, FIGMA, OAUTH2 = "amplify", "figma", "oauth2"
ISSUERS = (AMPLIFY, FIGMA, OAUTH2)


@dataclass(frozen=True)
class Own:
    """Whose a setting is that only one issuer has, and the function's variable that it becomes (docs/issuers.md).

    A `needed` one must be set.
    """

    issuer: str
    variable: str
    needed: bool = False


STANDARD_FIELDS = ("grant_type", "refresh_token", "scope", "client_id", "client_secret")
"""Of the request for a token, which extra parameters cannot take the place of."""


def address(*, query: bool = False, http: bool = False) -> Text:
    """Return the rule for where an issuer is; `http` where its connection need not be encrypted, on `local`."""
    schemes = ("https", "http") if http else ("https",)
    extras = "user or fragment" if query else "user, query or fragment"
    return Text(
        f"must be an address with {' or '.join(schemes)}, without {extras}",
        lambda url: is_url(url, schemes, query=query),
    )


def over_http() -> dict[str, Text]:
    """Return the rules of the stage `local`, whose issuer is a stand-in on this very machine."""
    return {"figma_base_url": address(http=True), "oauth2_token_url": address(query=True, http=True)}


def _is_scope(text: str) -> bool:
    return all(word and all("!" <= sign <= "~" and sign not in '"\\' for sign in word) for word in text.split(" "))


SCOPE = Text("must be scopes with one blank between them (RFC 6749, 3.3)", _is_scope)


@dataclass(frozen=True)
class Strings:
    """A JSON object of strings, or a mapping of them; none of its keys is among `but`."""

    but: tuple[str, ...]

    def __str__(self) -> str:
        return f"must be a JSON object of strings, without {', '.join(self.but)}"

    def read(self, value: object) -> dict[str, str]:
        """Return the strings by their keys."""
        try:
            found: Any = json.loads(value) if isinstance(value, str) else value
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, Mapping) or not all(_is_text(text) for pair in found.items() for text in pair):
            raise ValueError(str(self))
        if set(self.but) & set(found):
            raise ValueError(str(self))
        return dict(found)


def check_issuer(
    reader: ContextReader, owned: Mapping[str, Own], values: Mapping[str, Any], defaults: Mapping[str, object]
) -> None:
    """Note the settings of other issuers than the chosen one, and what the chosen one lacks."""
    chosen = values["issuer"]
    for key, own in owned.items():
        if not reader.is_sound("issuer", key):
            continue
        if own.issuer != chosen and values[key] != defaults[key]:
            reader.fault(key, f"is a setting of issuer={own.issuer} only, and issuer={chosen}")
        if own.issuer == chosen and own.needed and values[key] is None:
            reader.fault(key, f"must be set with issuer={chosen}")


def _is_text(text: object) -> bool:
    """Tell whether it can be sent: JSON can have half a character, which UTF-8 cannot."""
    try:
        return isinstance(text, str) and text.encode().decode() == text
    except UnicodeEncodeError:
        return False

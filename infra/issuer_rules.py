"""Which settings belong to which issuer, and what each must be.

The rules are those that the function has for its environment, so that what it would refuse is not deployed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.context_reader import ContextReader
from infra.setting_rules import Text, is_url

AMPLIFY, FIGMA, OAUTH2 = "amplify", "figma", "oauth2"
ISSUERS = (AMPLIFY, FIGMA, OAUTH2)
OWN_KEYS = {
    AMPLIFY: ("amplifyuibuilder_endpoint_url",),
    FIGMA: ("figma_base_url",),
    OAUTH2: (
        "oauth2_token_url",
        "oauth2_client_auth",
        "oauth2_scope",
        "oauth2_extra_parameters",
        "oauth2_default_lifetime_seconds",
    ),
}
"""The settings that only one issuer has."""

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


def check_issuer(reader: ContextReader, values: Mapping[str, Any], defaults: Mapping[str, object]) -> None:
    """Note the settings of other issuers than the chosen one, and what the chosen one lacks."""
    chosen = values["issuer"]
    if not reader.is_sound("issuer"):
        return
    for issuer, keys in OWN_KEYS.items():
        for key in keys:
            if issuer != chosen and reader.is_sound(key) and values[key] != defaults[key]:
                reader.fault(key, f"is a setting of issuer={issuer} only, and issuer={chosen}")
    if chosen == OAUTH2 and reader.is_sound("oauth2_token_url") and values["oauth2_token_url"] is None:
        reader.fault("oauth2_token_url", "must be set with issuer=oauth2")


def _is_text(text: object) -> bool:
    """Tell whether it can be sent: JSON can have half a character, which UTF-8 cannot."""
    try:
        return isinstance(text, str) and text.encode().decode() == text
    except UnicodeEncodeError:
        return False

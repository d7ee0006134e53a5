"""Whose tokens and credentials these are: what is shown of it, and what is refused."""

import pytest

from refresh_token.core.issued_by import IssuedBy, parse_issued_by, refuse_other_issuer
from refresh_token.errors import ConfigurationException

UNRECOGNISED = "an unrecognised issuer (an unrecognised host)"
FIGMA = IssuedBy("figma", "api.figma.com")
SHOWN = {
    FIGMA: "figma (api.figma.com)",
    IssuedBy("amplify", "amplifyuibuilder"): "amplify (amplifyuibuilder)",
    IssuedBy("oauth2", "[::1]:8443"): "oauth2 ([::1]:8443)",
    IssuedBy("oauth2", "token_server:8443"): "oauth2 (token_server:8443)",
    IssuedBy("oauth2", "10.0.0.1:8443"): "oauth2 (10.0.0.1:8443)",
    IssuedBy("oauth2", "id.xn--p1ai"): "oauth2 (id.xn--p1ai)",
    IssuedBy("Canary issuer", "canary" * 6): UNRECOGNISED,
    IssuedBy("c" * 33, f"canary.{'c' * 64}"): UNRECOGNISED,
    IssuedBy("c0ffee" * 4, "c0ffee" * 4): UNRECOGNISED,  # a hexadecimal client secret
    IssuedBy("0", f"canary.1.{'c' * 21}"): UNRECOGNISED,
}


@pytest.mark.parametrize(("issued_by", "shown"), SHOWN.items(), ids=map(str, range(len(SHOWN))))
def test_what_may_be_a_token_is_not_shown(issued_by: IssuedBy, shown: str) -> None:
    assert str(issued_by) == shown


SPELLINGS = {
    "api.figma.com:443": "api.figma.com",
    " API.Figma.com. ": "api.figma.com",
    "api.figma.com.:443": "api.figma.com",
    "id.example.:8443": "id.example:8443",
    "id.example:4430": "id.example:4430",
    "[::1]:443": "[::1]",
    "id.example:80": "id.example:80",
}


@pytest.mark.parametrize(("written", "read"), SPELLINGS.items())
def test_every_spelling_is_the_same(written: str, read: str) -> None:
    assert parse_issued_by({"issuer": "Figma", "host": written}) == IssuedBy("figma", read)


def test_its_document_is_read_back() -> None:
    assert parse_issued_by(FIGMA.to_document()) == FIGMA


def test_only_another_one_is_refused() -> None:
    refuse_other_issuer(FIGMA, FIGMA, what="It belongs", how_to_fix="Mend it")
    refuse_other_issuer(None, FIGMA, what="It belongs", how_to_fix="Mend it")
    with pytest.raises(ConfigurationException) as caught:
        refuse_other_issuer(IssuedBy("oauth2", "api.figma.com"), FIGMA, what="It belongs", how_to_fix="Mend it")
    assert str(caught.value) == (
        "It belongs to oauth2 (api.figma.com), but this stack uses figma (api.figma.com). Nothing was sent. Mend "
        "it, or deploy the settings of oauth2 (api.figma.com) again."
    )

"""The address of the consent page, and what may be asked for."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tokenctl.errors import UsageError
from tokenctl.sign_in.consent import FIGMA, Consent, checked_address, redirect_uri, scopes

REDIRECT = "http://127.0.0.1:8976/callback"


def consent(url: str = FIGMA) -> Consent:
    return Consent(authorize_url=url, client_id="an app&more", redirect_uri=REDIRECT, scopes=("a:read", "b:write"))


def test_the_address_carries_what_the_consent_page_needs_and_survives_encoding() -> None:
    asked = consent()
    page = urlsplit(asked.address)
    assert f"{page.scheme}://{page.netloc}{page.path}" == FIGMA
    assert parse_qs(page.query, strict_parsing=True) == {
        "client_id": ["an app&more"],
        "redirect_uri": [REDIRECT],
        "scope": ["a:read b:write"],
        "state": [asked.state],
        "response_type": ["code"],
    }


def test_a_query_that_the_page_has_already_is_kept() -> None:
    assert consent("https://www.figma.com/oauth?locale=de").address.startswith(
        "https://www.figma.com/oauth?locale=de&client_id="
    )


def test_every_question_has_a_state_of_its_own_of_256_bits() -> None:
    states = {consent().state for _ in range(100)}
    assert len(states) == 100
    assert all(len(state) >= 43 for state in states)


def test_the_repr_shows_neither_client_id_nor_state() -> None:
    asked = consent()
    assert "an app" not in repr(asked)
    assert asked.state not in repr(asked)


def test_the_redirect_address_is_on_the_loopback_interface() -> None:
    assert redirect_uri("127.0.0.1", 8976) == REDIRECT


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ((), ("current_user:read",)),
        (("file_content:read",), ("current_user:read", "file_content:read")),
        (("a:read", "current_user:read", "a:read"), ("current_user:read", "a:read")),
    ],
)
def test_the_least_scope_is_asked_for_and_what_is_added_once(asked: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert scopes(asked) == expected


@pytest.mark.parametrize("scope", ["", "two words", "line\nfeed", 'quo"te', "bäck"])
def test_what_is_no_scope_is_a_usage_error(scope: str) -> None:
    with pytest.raises(UsageError, match="--scope takes one scope"):
        scopes((scope,))


@pytest.mark.parametrize(
    "url", [FIGMA, "https://www.figma-gov.com/oauth", "http://127.0.0.1:4000/oauth", "http://localhost:4000/oauth"]
)
def test_consent_pages_are_on_https_or_on_this_machine(url: str) -> None:
    assert checked_address(url, "--authorize-url") == url


@pytest.mark.parametrize(
    "url",
    [
        "http://www.figma.com/oauth",
        "http://127.0.0.1.example.com/oauth",
        "http://localhost@example.com/oauth",
        "https://user:word@www.figma.com/oauth",
        "https://www.figma.com/oauth#part",
        "https:///oauth",
        "https://www.figma.com:port/oauth",
        "https://[::1/oauth",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "www.figma.com/oauth",
        "",
    ],
)
def test_anything_else_is_a_usage_error_that_does_not_repeat_it(url: str) -> None:
    with pytest.raises(UsageError, match="--authorize-url must") as caught:
        checked_address(url, "--authorize-url")
    assert not url or url not in str(caught.value)

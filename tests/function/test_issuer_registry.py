"""Issuers by name, and their settings from the environment."""

import subprocess
import sys
import textwrap

import pytest

from refresh_token.errors import ConfigurationException
from refresh_token.issuers.registry import ISSUERS, issuer_named
from tests.support.canaries import assert_clean
from tests.support.function_environment import NOBODY_LISTENS

FIGMA = {"APP_SECRET_ARN": "arn:app"}
OAUTH2 = {"APP_SECRET_ARN": "arn:app", "OAUTH2_TOKEN_URL": "https://issuer.example/token"}
GOOD: dict[str, dict[str, str]] = {"amplify": {}, "figma": FIGMA, "oauth2": OAUTH2}


def fault(name: str, environment: dict[str, str]) -> str:
    with pytest.raises(ConfigurationException) as caught:
        issuer_named(name, environment)
    assert_clean(caught.value)
    return str(caught.value)


def test_every_issuer_is_made_from_its_settings() -> None:
    assert set(GOOD) == set(ISSUERS)
    for name, environment in GOOD.items():
        issuer = issuer_named(name, environment)
        assert issuer.rotates is (name == "oauth2")
        assert issuer.takes_client_id is (name == "amplify")


@pytest.mark.parametrize("name", ["", "canary", "Figma", "registry", "ui_builder"])
def test_a_name_that_nobody_has_is_refused_with_those_that_there_are(name: str) -> None:
    assert "ISSUER must be one of amplify, figma, oauth2" in fault(name, {})


def test_an_issuer_loads_no_other() -> None:
    program = textwrap.dedent("""
        import sys
        from refresh_token.issuers.registry import ISSUERS, issuer_named
        issuer_named("amplify", {})
        print([name for name in ISSUERS.values() if f"refresh_token.issuers.{name}" in sys.modules])
    """)
    printed = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ":".join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout == "['ui_builder']\n"


def test_all_faults_are_named_at_once() -> None:
    wrong = {
        "ALLOW_HTTP_ISSUER": "canary",
        "OAUTH2_CLIENT_AUTH": "canary",
        "OAUTH2_DEFAULT_LIFETIME": "canary",
        "OAUTH2_EXTRA_PARAMETERS": "canary",
    }
    message = fault("oauth2", wrong)
    assert [name for name in (*wrong, *OAUTH2) if f"{name} must" not in message] == []
    assert "Deploy the stack again" in message


WRONG_URLS = [
    *(
        "canary",
        "canary.example",
        "ftp://canary",
        "https://",
        "https:///canary",
        "https://canary:0",
        "https://canary:x",
    ),
    *("https://user@canary", "https://user:canary@host", "https://host/#canary", "https://ho st", "https://hö.example"),
    *("https://host/\n", "https://[canary", 'https://host/"', "HTTP://canary", NOBODY_LISTENS),
]


@pytest.mark.parametrize("url", WRONG_URLS)
@pytest.mark.parametrize(("name", "variable"), [("figma", "FIGMA_BASE_URL"), ("oauth2", "OAUTH2_TOKEN_URL")])
def test_an_address_must_be_a_plain_one_with_https(name: str, variable: str, url: str) -> None:
    assert f"{variable} must be an address with https, without" in fault(name, {**GOOD[name], variable: url})


@pytest.mark.parametrize(("name", "variable"), [("figma", "FIGMA_BASE_URL"), ("oauth2", "OAUTH2_TOKEN_URL")])
def test_http_is_for_where_it_is_allowed(name: str, variable: str) -> None:
    assert issuer_named(name, {**GOOD[name], variable: NOBODY_LISTENS, "ALLOW_HTTP_ISSUER": "true"})
    with pytest.raises(ConfigurationException):
        issuer_named(name, {**GOOD[name], variable: NOBODY_LISTENS, "ALLOW_HTTP_ISSUER": "false"})


def test_a_token_address_may_have_a_query_and_a_base_address_may_not() -> None:
    assert issuer_named("oauth2", {**OAUTH2, "OAUTH2_TOKEN_URL": "https://host/token?tenant=1"})
    assert "FIGMA_BASE_URL" in fault("figma", {**FIGMA, "FIGMA_BASE_URL": "https://host/?tenant=1"})


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("[]", "must be a JSON object of strings"),
        ('{"a": 1}', "must be a JSON object of strings"),
        ('{"a": ["canary"]}', "must be a JSON object of strings"),
        (r'{"canary": "\ud800"}', "must be a JSON object of strings"),
        ("[" * 10_000, "must be a JSON object of strings"),
        ('{"scope": "x", "client_id": "y", "a": "b"}', "must not have client_id, scope"),
        ('{"grant_type": "x"}', "must not have grant_type"),
    ],
)
def test_extra_parameters_are_strings_and_take_no_place_of_ours(text: str, rule: str) -> None:
    assert f"OAUTH2_EXTRA_PARAMETERS {rule}" in fault("oauth2", {**OAUTH2, "OAUTH2_EXTRA_PARAMETERS": text})


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "one", "1000000000", "٣", "9" * 5000])
def test_a_lifetime_is_a_positive_whole_number(text: str) -> None:
    assert "OAUTH2_DEFAULT_LIFETIME must be" in fault("oauth2", {**OAUTH2, "OAUTH2_DEFAULT_LIFETIME": text})

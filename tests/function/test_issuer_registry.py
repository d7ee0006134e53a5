"""Issuers by name."""

import subprocess
import sys
import textwrap

import pytest

from refresh_token.errors import ConfigurationException
from refresh_token.issuers.registry import ISSUERS, issuer_from
from tests.support.canaries import clean_fault

APP_SECRET = {"APP_SECRET_ARN": "arn:app"}
GOOD: dict[str, dict[str, str]] = {
    "amplify": {},
    "figma": APP_SECRET,
    "oauth2": {**APP_SECRET, "OAUTH2_TOKEN_URL": "https://issuer.example/token"},
}


def fault(name: str, environment: dict[str, str]) -> str:
    error = clean_fault(lambda: issuer_from({"ISSUER": name, **environment}))
    assert type(error) is ConfigurationException
    return str(error)


def test_every_issuer_is_made_from_its_settings() -> None:
    assert tuple(GOOD) == tuple(ISSUERS)
    for name, environment in GOOD.items():
        issuer = issuer_from({"ISSUER": name, **environment})
        assert issuer.rotates is (name == "oauth2")
        assert issuer.takes_client_id is (name == "amplify")


@pytest.mark.parametrize("name", ["canary", "Figma", "registry", "ui_builder"])
def test_another_name_is_refused(name: str) -> None:
    assert "ISSUER must be one of amplify, figma, oauth2, static" in fault(name, {})


def test_all_faults_are_named_at_once() -> None:
    message = fault("oauth2", {"OAUTH2_CLIENT_AUTH": "canary"})
    assert [name for name in ("CLIENT_AUTH", "TOKEN_URL") if f"OAUTH2_{name} must" not in message] == []
    assert "APP_SECRET_ARN must be set" in message
    assert "APP_SECRET_ARN must be set" in fault("figma", {})


@pytest.mark.parametrize("grant", ["client_credentials", "token_exchange", "static"])
def test_the_secret_is_of_the_issuers_grant(grant: str) -> None:
    message = fault("oauth2", {**GOOD["oauth2"], "ISSUER_GRANT": grant})
    assert "ISSUER_GRANT must be the grant of the issuer's profile" in message


def test_an_issuer_loads_no_other() -> None:
    program = textwrap.dedent("""
        import sys
        from refresh_token.issuers.registry import ISSUERS, issuer_from
        issuer_from({})
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

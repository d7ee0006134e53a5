"""The environment of a fleet's functions."""

import json
from datetime import timedelta
from typing import Any

import pytest

from refresh_token.core.grant_life import GrantLife
from refresh_token.errors import ConfigurationException
from refresh_token.fleet.providers import provider_named
from refresh_token.fleet.settings import FleetSettings
from tests.support.windows import WINDOW_VARIABLES

XERO = {"ISSUER": "xero", "APP_SECRET_ARN": "arn:app", "GRANT_IDLE_DAYS": "60", "REFRESH_MARGIN_SECONDS": "600"}
REQUIRED = {"CONNECTIONS_TABLE": "connections", **WINDOW_VARIABLES}


def read(providers: object = {"xero": XERO}, **variables: str) -> FleetSettings:
    return FleetSettings.from_environment({**REQUIRED, "PROVIDERS": json.dumps(providers), **variables})


def test_defaults() -> None:
    settings = read()
    assert (settings.policy, settings.refreshes_per_second, settings.seal_access_tokens) == ("auto", 10, False)
    assert settings.event_bus == settings.queue_url == settings.key_arn == ""


def test_each_provider_has_its_own_life() -> None:
    found = read({"xero": XERO, "acme": {"ISSUER": "acme", "rotates": False}}, IDLE_REFRESH_DAYS="7").providers
    week = timedelta(days=7)
    assert found["xero"].grant_life == GrantLife(idle=timedelta(days=60), refresh_after=week)
    assert found["acme"].grant_life == GrantLife(refresh_after=week)
    assert found["xero"].windows.margin == timedelta(minutes=10)
    assert (found["xero"].rotates, found["acme"].rotates) == (True, False)
    assert found["xero"].variables == XERO


def test_an_app_token_has_no_grant_that_ends() -> None:
    row = {"ISSUER": "acme", "ISSUER_GRANT": "client_credentials", "GRANT_IDLE_DAYS": "9"}
    provider = read({"acme": row}, IDLE_REFRESH_DAYS="7").providers["acme"]
    assert (provider.grant_life, provider.spends, provider.rotates) == (GrantLife(), "nothing", False)


def test_params_of_a_connection_come_before_the_fleets() -> None:
    row = {**XERO, "ISSUER_PARAMS": '{"region": "eu", "subdomain": "ours"}', "ISSUER_SCOPE": "read"}
    provider = read({"xero": row}).providers["xero"]
    merged = provider.with_params({"subdomain": "acme"})
    assert json.loads(merged["ISSUER_PARAMS"]) == {"region": "eu", "subdomain": "acme"}
    assert {**merged, "ISSUER_PARAMS": ""} == {**row, "ISSUER_PARAMS": ""}
    assert provider.with_params({}) == row
    assert json.loads(read().providers["xero"].with_params({"a": "b"})["ISSUER_PARAMS"]) == {"a": "b"}


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no providers": ({"providers": {}}, "PROVIDERS must be"),
    "no object": ({"providers": [1]}, "PROVIDERS must be"),
    "a row without texts": ({"providers": {"xero": {"ISSUER": 7}}}, "PROVIDERS must have"),
    "a row of nothing": ({"providers": {"xero": "xero"}}, "PROVIDERS must have"),
    "a name that is none": ({"providers": {"X ero": XERO}}, "PROVIDERS must have"),
    "a wrong margin": ({"providers": {"xero": {**XERO, "REFRESH_MARGIN_SECONDS": "x"}}}, "`xero`: REFRESH_MARGIN"),
    "a person's token": ({"providers": {"xero": {**XERO, "ISSUER_GRANT": "static"}}}, "`xero`: ISSUER_GRANT"),
    "a wrong policy": ({"CONNECTION_POLICY": "always"}, "CONNECTION_POLICY must be one of auto, warm, demand"),
    "too fast": ({"REFRESHES_PER_SECOND": "1001"}, "REFRESHES_PER_SECOND"),
    "windows that overlap": ({"MANDATORY_WINDOW_SECONDS": "604800"}, "MANDATORY_WINDOW_SECONDS must be less"),
    "sealing of a kind": ({"SEAL_ACCESS_TOKENS": "yes"}, "SEAL_ACCESS_TOKENS must be"),
    "no table": ({"CONNECTIONS_TABLE": ""}, "CONNECTIONS_TABLE must be set"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_variable_is_named(what: str) -> None:
    variables, message = WRONG[what]
    with pytest.raises(ConfigurationException, match=message):
        read(**variables)


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(ConfigurationException, match=r"CONNECTIONS_TABLE.*PROVIDERS.*CONNECTION_POLICY"):
        read({}, CONNECTIONS_TABLE="", CONNECTION_POLICY="x")


OAUTH2 = {"ISSUER": "oauth2"}


@pytest.mark.parametrize(
    ("fleet", "word", "meant"),
    [
        (["xero"], None, "xero"),
        (["xero"], "xero", "xero"),
        (["xero"], "figma", None),
        (["oauth2"], "figma", "oauth2"),
        (["oauth2", "xero"], "figma", None),
        (["oauth2", "xero"], None, None),
        (["figma", "xero"], "figma", "figma"),
    ],
)
def test_a_word_means_a_provider(fleet: list[str], word: str | None, meant: str | None) -> None:
    found = provider_named(word, read({name: {"ISSUER": name} for name in fleet}).providers)
    assert (found.name if found else None) == meant

"""The settings of the issuers: whose each is, what it must be, and that the function takes what they let by."""

import json
from typing import Any

import pytest

from refresh_token.errors import ConfigurationException
from refresh_token.issuers import registry
from refresh_token.oauth.issuers import DEFAULT_LIFETIME, FIGMA_BASE_URL, RESERVED_FIELDS
from tests.support.stage_settings import faults, read
from token_refresher.settings.issuer_rules import ISSUERS, STANDARD_FIELDS
from token_refresher.settings.reader import SettingsError
from token_refresher.settings.refresher_settings import RefresherSettings
from tokenctl.stack.issuer import NAMES

TOKEN_URL = "https://sign-in.example/token"
HTTPS = "must be an address with https, without user, query or fragment"
HTTPS_QUERY = "must be an address with https, without user or fragment"
HTTP_TOO = "must be an address with https or http, without user, query or fragment"
SCOPES = "must be scopes with one blank between them (RFC 6749, 3.3)"
LIFETIME = "must be a whole number from 60 to 31536000 seconds, a year at most"
STRINGS = (
    "must be a JSON object of strings, without grant_type, refresh_token, scope, client_id, client_secret"  # it goes on
)
CREDENTIALS = "is no setting; an app's credentials go into a secret of their own, by `tokenctl app-credentials`"


def test_the_issuers_are_those_of_the_function() -> None:
    assert set(ISSUERS) == set(registry.ISSUERS) == set(NAMES)
    assert STANDARD_FIELDS == RESERVED_FIELDS
    defaults = RefresherSettings()
    assert defaults.figma_base_url == FIGMA_BASE_URL
    assert defaults.oauth2_default_lifetime_seconds == DEFAULT_LIFETIME


def test_strings_from_the_command_line_set_each_key(context: dict[str, Any]) -> None:
    overrides = {
        "issuer": "oauth2",
        "oauth2_token_url": f"{TOKEN_URL}?tenant=1",
        "oauth2_client_auth": "post",
        "oauth2_scope": "files:read offline",
        "oauth2_extra_parameters": '{"audience": "design"}',
        "oauth2_default_lifetime_seconds": "600",
    }
    settings = read(context, **overrides)
    assert settings.oauth2_extra_parameters == {"audience": "design"}
    assert settings == read(context, **{**overrides, "oauth2_extra_parameters": {"audience": "design"}})
    assert {key: str(getattr(settings, key)) for key in overrides if key != "oauth2_extra_parameters"} == {
        key: value for key, value in overrides.items() if key != "oauth2_extra_parameters"
    }


def test_figma_for_government_is_one_setting_on_prod_too(context: dict[str, Any]) -> None:
    settings = read(context, stage="prod", issuer="figma", figma_base_url="https://api.figma-gov.com")
    assert (settings.issuer, settings.figma_base_url) == ("figma", "https://api.figma-gov.com")


OWN = [
    ("amplify", "amplifyuibuilder_endpoint_url", "https://stand-in.example"),
    ("figma", "figma_base_url", "https://api.figma-gov.com"),
    ("oauth2", "oauth2_token_url", TOKEN_URL),
    ("oauth2", "oauth2_client_auth", "post"),
    ("oauth2", "oauth2_scope", "files:read"),
    ("oauth2", "oauth2_extra_parameters", '{"audience": "design"}'),
    ("oauth2", "oauth2_default_lifetime_seconds", "600"),
]


@pytest.mark.parametrize(("owner", "key", "value"), OWN)
@pytest.mark.parametrize("chosen", ISSUERS)
def test_a_setting_of_another_issuer_is_refused_and_one_of_its_own_is_not(
    context: dict[str, Any], chosen: str, owner: str, key: str, value: str
) -> None:
    needed = {"oauth2_token_url": TOKEN_URL} if chosen == "oauth2" else {}
    overrides = {**needed, "issuer": chosen, key: value}
    if owner == chosen:
        assert read(context, **overrides).issuer == chosen
    else:
        shown = "..." if key == "oauth2_extra_parameters" else value
        expected = f"{key}={shown}: is a setting of issuer={owner} only, and issuer={chosen}"
        assert faults(context, **overrides) == (expected,)


def test_oauth2_needs_a_token_url(context: dict[str, Any]) -> None:
    assert faults(context, issuer="oauth2") == ("oauth2_token_url=: must be set with issuer=oauth2",)


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("figma_base_url", "http://api.figma.com", HTTPS),
        ("figma_base_url", "api.figma.com", HTTPS),
        ("figma_base_url", "", HTTPS),
        ("figma_base_url", "https://api.figma.com?a=1", HTTPS),
        ("figma_base_url", 1, HTTPS),
        ("oauth2_token_url", "http://sign-in.example/token", HTTPS_QUERY),
        ("oauth2_token_url", "https://sign-in.example/token#f", HTTPS_QUERY),
        ("oauth2_client_auth", "header", "must be basic or post"),
        ("oauth2_scope", "a  b", SCOPES),
        ("oauth2_scope", " a", SCOPES),
        ("oauth2_scope", 'a"b', SCOPES),
        ("oauth2_scope", "a\nb", SCOPES),
        ("oauth2_scope", "ä", SCOPES),
        ("oauth2_default_lifetime_seconds", "59", LIFETIME),
        ("oauth2_default_lifetime_seconds", "31536001", LIFETIME),
    ],
)
def test_a_setting_that_breaks_a_rule_is_refused_with_key_value_and_rule(
    context: dict[str, Any], key: str, value: object, rule: str
) -> None:
    issuer = {"issuer": "figma"} if key == "figma_base_url" else {"issuer": "oauth2", "oauth2_token_url": TOKEN_URL}
    assert faults(context, **{**issuer, key: value}) == (f"{key}={value}: {rule}",)


@pytest.mark.parametrize(
    "value",
    [
        '{"client_secret": "canary"}',
        '{"audience": "canary", "grant_type": "x"}',
        '{"audience": ["canary"]}',
        '{"audience": "\\ud800canary"}',
        '["canary"]',
        "canary",
        {"audience": 1, "canary": "x"},
        "[" * 100_000,
    ],
)
def test_what_extra_parameters_must_not_be_is_refused_and_not_shown(context: dict[str, Any], value: object) -> None:
    found = faults(context, issuer="oauth2", oauth2_token_url=TOKEN_URL, oauth2_extra_parameters=value)
    assert found == (f"oauth2_extra_parameters=...: {STRINGS}",)


def test_only_local_may_have_its_issuer_over_http(context: dict[str, Any]) -> None:
    url = "http://127.0.0.1:9999"
    assert read(context, stage="local", issuer="figma", figma_base_url=url).figma_base_url == url
    assert read(context, stage="local", issuer="oauth2", oauth2_token_url=url).oauth2_token_url == url
    for stage in ("dev", "prod"):
        assert faults(context, stage=stage, issuer="figma", figma_base_url=url) == (f"figma_base_url={url}: {HTTPS}",)
    wrong = faults(context, stage="local", issuer="figma", figma_base_url="ftp://x")
    assert wrong == (f"figma_base_url=ftp://x: {HTTP_TOO}",)


CREDENTIAL_KEYS = [
    *("client_secret", "clientId", "figma_client_secret", "oauth2_client_id", "app_secret", "secret"),
    *("figma_app_secret", "figma_app_client_secret", "oauth2_client_secrets", "oauth2_client_key"),
    *("oauth2_client_auth_secret", "app_credentials", "oauth2_client_password"),
]


@pytest.mark.parametrize("key", CREDENTIAL_KEYS)
def test_an_apps_credentials_are_no_settings_and_are_not_shown(context: dict[str, Any], key: str) -> None:
    expected = (f"{key}=...: {CREDENTIALS}",)
    assert faults(context, **{key: "canary"}) == expected
    assert faults(context, stages={"dev": {key: "canary"}}) == expected


@pytest.mark.parametrize("key", ["figma_base_url", "oauth2_token_url", "amplifyuibuilder_endpoint_url"])
def test_a_login_in_an_address_is_refused_and_not_shown(context: dict[str, Any], key: str) -> None:
    issuer = {"figma_base_url": "figma", "oauth2_token_url": "oauth2"}.get(key, "amplify")
    (fault,) = faults(context, issuer=issuer, **{key: "https://canary:canary@host"})
    assert fault.startswith(f"{key}=https://...@host: must be ")


ADDRESSES = [
    *("https://h", "https://h/", "https://h:8443/base", "HTTPS://h", "https://[::1]:1", "https://h?", "https://h#"),
    *("https://h/?a=b&c", "https://h/a b", "https://@h", "https://h:0", "https://h:99999", "https://", "https://h/\\"),
    *("http://h", "h", "https://ü", "https://h/<", "https://u:p@h", " https://h", "https://h/\t", "https:///x"),
]


@pytest.mark.parametrize("url", ADDRESSES)
@pytest.mark.parametrize("stage", ["dev", "local"])
def test_the_function_takes_an_address_if_and_only_if_the_setting_does(
    context: dict[str, Any], stage: str, url: str
) -> None:
    http = {"ALLOW_HTTP_ISSUER": "true"} if stage == "local" else {}
    for issuer, key in (("figma", "figma_base_url"), ("oauth2", "oauth2_token_url")):
        taken = []
        try:
            read(context, stage=stage, issuer=issuer, **{key: url})
            taken.append("setting")
        except SettingsError:
            pass
        try:
            registry.issuer_named(issuer, {key.upper(): url, "APP_SECRET_ARN": "arn", **http})
            taken.append("function")
        except ConfigurationException:
            pass
        assert taken in ([], ["setting", "function"]), key


@pytest.mark.parametrize("value", [{}, {"audience": "a b"}, {"": ""}, {"ä": "\U0001f600"}])
def test_the_function_takes_the_extra_parameters_that_the_setting_does(
    context: dict[str, Any], value: dict[str, str]
) -> None:
    settings = read(context, issuer="oauth2", oauth2_token_url=TOKEN_URL, oauth2_extra_parameters=json.dumps(value))
    assert settings.oauth2_extra_parameters == value
    environment = {"OAUTH2_TOKEN_URL": TOKEN_URL, "APP_SECRET_ARN": "arn", "OAUTH2_EXTRA_PARAMETERS": json.dumps(value)}
    assert registry.issuer_named("oauth2", environment)

"""The function's environment."""

from datetime import timedelta
from typing import Any

import pytest

from refresh_token.core.grant_life import GrantLife
from refresh_token.core.windows import WindowSettings
from refresh_token.errors import ConfigurationException
from refresh_token.settings import Settings
from tests.support.windows import WINDOW_VARIABLES, WINDOWS

GOOD = {"SECRET_ARN": "arn", "LOCK_TABLE": "locks", **WINDOW_VARIABLES}
FOUND: dict[str, Any] = {
    "secret_arn": "arn",
    "lock_table": "locks",
    "windows": WINDOWS,
    "policy": "auto",
    "grant_life": GrantLife(),
    "provider": "figma",
    "grant": "refresh_token",
}
OPTIONAL = {
    "GRANT_IDLE_DAYS": "60",
    "GRANT_ABSOLUTE_DAYS": "365",
    "REFRESH_MARGIN_SECONDS": "120",
    "REFRESH_POLICY": "demand",
}
NOT_WHOLE = ["0", "-1", "1.5", "1e3", " 5", "1_000", "٣", "²", "1000000000", "9" * 5000]


def faults(environment: dict[str, str]) -> str:
    with pytest.raises(ConfigurationException) as caught:
        Settings.from_environment(environment)
    return str(caught.value)


def test_a_right_environment_is_read() -> None:
    expected = Settings(**FOUND)
    assert Settings.from_environment({**GOOD, "HOME": "/"}) == expected
    longest = {"ADVISORY_WINDOW_SECONDS": "999999999", "MANDATORY_WINDOW_SECONDS": "999999998"}
    assert Settings.from_environment({**GOOD, **longest}).windows == WindowSettings(
        advisory=timedelta(seconds=999_999_999), mandatory=timedelta(seconds=999_999_998)
    )


def test_optional_variables_are_read() -> None:
    settings = Settings.from_environment({**GOOD, **OPTIONAL})
    assert settings.grant_life == GrantLife(idle=timedelta(days=60), absolute=timedelta(days=365))
    assert (settings.windows.margin, settings.policy) == (timedelta(minutes=2), "demand")
    assert [Settings.from_environment({**GOOD, "ISSUER": name}).static for name in ("static", "figma")] == [True, False]


def test_the_grant_is_the_profiles() -> None:
    def read(**variables: str) -> Settings:
        return Settings.from_environment({**GOOD, **OPTIONAL, "ISSUER": "acme", **variables})

    assert [read(ISSUER_GRANT=grant).spends for grant in ("token_exchange", "jwt_bearer")] == [
        "access_token",
        "nothing",
    ]
    assert read(ISSUER_GRANT="static").static
    assert read(ISSUER_GRANT="two_step").grant_life == GrantLife(), "no sign-in, no end"
    assert "ISSUER_GRANT must be one of" in faults({**GOOD, "ISSUER_GRANT": "password"})


@pytest.mark.parametrize("issuer", ["", "amplify", "figma", "oauth2", "static", "acme"])
def test_the_provider_is_the_profile(issuer: str) -> None:
    provider = Settings.from_environment({**GOOD, "ISSUER": issuer}).provider
    assert provider == ("acme" if issuer == "acme" else "figma")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("GRANT_IDLE_DAYS", value) for value in [*NOT_WHOLE, "3651"]),
        *[("GRANT_ABSOLUTE_DAYS", "3651"), ("REFRESH_MARGIN_SECONDS", "34560001"), ("REFRESH_POLICY", "never")],
    ],
    ids=lambda text: text[:22],
)
def test_a_wrong_optional_variable_is_named(name: str, value: str) -> None:
    assert f"{name} must be" in faults({**GOOD, **OPTIONAL, name: value})


@pytest.mark.parametrize("missing", [[name] for name in GOOD] + [list(GOOD)], ids=str)
def test_every_missing_variable_is_named(missing: list[str]) -> None:
    for environment in ({**GOOD, **dict.fromkeys(missing, "")}, {k: v for k, v in GOOD.items() if k not in missing}):
        message = faults(environment)
        assert [name for name in GOOD if name in message] == missing
        assert "Run tokenctl doctor" in message


@pytest.mark.parametrize("name", WINDOW_VARIABLES)
@pytest.mark.parametrize("value", NOT_WHOLE, ids=lambda value: value[:10])
def test_a_window_is_a_positive_whole_number(name: str, value: str) -> None:
    assert f"{name} must be a positive whole number" in faults({**GOOD, name: value})


@pytest.mark.parametrize("mandatory", ["604800", "604801"])
def test_the_mandatory_window_is_the_shorter_one(mandatory: str) -> None:
    assert "must be less than ADVISORY" in faults({**GOOD, "MANDATORY_WINDOW_SECONDS": mandatory})

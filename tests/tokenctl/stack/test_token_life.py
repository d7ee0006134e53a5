"""The words and numbers of `tokenctl status`."""

from datetime import UTC, datetime, timedelta

import pytest

from refresh_token.core.grants import Spends
from refresh_token.core.token_pair import TokenPair
from tests.support.windows import WINDOWS
from tokenctl.stack.deployed_stack import short_alarm_name
from tokenctl.stack.schedule import next_run
from tokenctl.stack.token_life import life_of, meaning, relative, sentence

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((1, "in 1 second"), (89, "in 89 seconds"), (90, "in 2 minutes"), (0, "0 seconds ago")),
        *((-3600, "60 minutes ago"), (2 * 3600, "in 2 hours"), (-90 * 86400, "90 days ago")),
    ],
)
def test_a_span_is_told_in_a_fitting_unit(seconds: float, text: str) -> None:
    assert relative(seconds) == text


@pytest.mark.parametrize(
    ("expression", "state", "ago", "ahead"),
    [
        ("rate(1 minute)", "ENABLED", 3.5, 0.5),
        ("rate(12 hours)", "ENABLED", 60, 660),
        ("rate(2 days)", "ENABLED", 0, 2880),
        ("rate(1 minute)", "DISABLED", 3.5, None),
        ("cron(0 6 * * ? *)", "ENABLED", 60, None),
    ],
)
def test_a_rate_counts_from_its_last_change(expression: str, state: str, ago: float, ahead: float | None) -> None:
    changed = NOW - timedelta(minutes=ago)
    schedule = {"ScheduleExpression": expression, "State": state, "LastModificationDate": changed}
    expected = None if ahead is None else NOW + timedelta(minutes=ahead)
    assert next_run(schedule, NOW) == expected


def test_a_life_without_dates_is_unknown() -> None:
    life = life_of(TokenPair(access_token="a", refresh_token="r"), now=NOW, settings=WINDOWS)
    assert set(life.values()) == {"unknown", None, True}
    assert sentence(life) == "expires at an unknown time, window unknown"


def test_a_life_in_numbers() -> None:
    pair = TokenPair(
        access_token="a", refresh_token="r", refreshed_at=NOW - timedelta(days=30), expires_at=NOW + timedelta(days=60)
    )
    assert life_of(pair, now=NOW, settings=WINDOWS) == {
        "window": "fresh",
        "refreshedAt": "2026-10-24T12:00:00Z",
        "expiresAt": "2027-01-22T12:00:00Z",
        "secondsLeft": 5184000,
        "lifetimeSeconds": 7776000,
        "lifeUsed": 0.3333,
        "hasAccessToken": True,
        "hasRefreshToken": True,
        "refreshable": True,
    }


@pytest.mark.parametrize(
    ("spends", "days", "refreshable"),
    [("nothing", None, True), ("nothing", -1, True), ("access_token", 1, True), ("access_token", -1, False)],
)
def test_other_grants_need_no_refresh_token(spends: Spends, days: int | None, *, refreshable: bool) -> None:
    end = None if days is None else NOW + timedelta(days=days)
    pair = TokenPair(access_token="" if end is None else "a", refresh_token="", expires_at=end)
    life = life_of(pair, now=NOW, settings=WINDOWS, spends=spends)
    assert (life["refreshable"], life["hasRefreshToken"]) == (refreshable, False)
    assert ("until it ends" in meaning(life, static=False, on_demand=False, failure=None)) is False


@pytest.mark.parametrize(
    ("tokens", "days", "static", "failure", "says"),
    [
        ("ar", 1, False, "ReauthorizationRequiredException", "the issuer refused the grant: consumers get the token"),
        ("ar", -1, False, "ReauthorizationRequiredException", "dead: the issuer refused the grant"),
        ("r", None, False, "ReauthorizationRequiredException", "dead: the issuer refused the grant"),
        ("a", 1, True, "ReauthorizationRequiredException", "reported dead: a person must renew it now"),
        ("ar", 1, False, "TokenNotStoredException", "dead: a newer token was issued"),
        ("ar", 1, False, "IssuerUnavailableException", "the schedule refreshes it at its next run"),
        ("r", None, False, None, "no access token yet"),
        ("a", 1, False, None, "consumers get it until it ends"),
        ("a", 1, True, None, "a person must renew it in time"),
    ],
)
def test_a_window_means_something(
    *, tokens: str, days: int | None, static: bool, failure: str | None, says: str
) -> None:
    pair = TokenPair(
        access_token="a" * ("a" in tokens),
        refresh_token="r" * ("r" in tokens),
        expires_at=None if days is None else NOW + timedelta(days=days, hours=1),
    )
    life = life_of(pair, now=NOW, settings=WINDOWS)
    assert meaning(life, static=static, on_demand=False, failure=failure).startswith(says)


def test_an_alarm_is_called_as_in_the_runbook() -> None:
    assert short_alarm_name("RefreshToken-prod-MonitoringTokenExpires86F99735-8FB8D574E81BE") == "TokenExpires"
    assert short_alarm_name("somebody-elses") == "somebody-elses"

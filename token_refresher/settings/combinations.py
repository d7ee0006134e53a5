"""Rules for settings that must fit together. Each fault says what to change."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from refresh_token.core.refresh_policy import ALWAYS, MAX_VERSIONS
from refresh_token.core.windows import WindowSettings
from refresh_token.oauth.issuers import OAUTH2
from token_refresher.settings.reader import SettingsReader
from token_refresher.settings.schedule_expression import (
    max_time_between_ticks,
    max_time_for_two_ticks,
    ticks_of_a_day,
)

if TYPE_CHECKING:
    from token_refresher.issuers import Issuer

MAX_WATCH: Final = timedelta(days=7)
"""How far back an alarm can look for a tick (CloudWatch API reference, PutMetricAlarm, `Period`)."""

_HOUR: Final = timedelta(hours=1)


def completed(values: Mapping[str, Any], issuer: "Issuer") -> dict[str, Any]:
    """Return the settings, with what is known about the issuer for those that are not set."""
    known = {
        "refresh_margin_seconds": issuer.refresh_margin,
        "grant_idle_days": issuer.grant_idle_days,
        "grant_absolute_days": issuer.grant_absolute_days,
    }
    return {**values, **{key: value for key, value in known.items() if values[key] is None}}


def windows_of(values: Mapping[str, Any], token_life: timedelta | None = None) -> WindowSettings:
    """Return the windows that the function uses for a token of this life, by default for a long one."""
    settings = WindowSettings(
        advisory=timedelta(hours=values["advisory_window_hours"]),
        mandatory=timedelta(hours=values["mandatory_window_hours"]),
        margin=timedelta(seconds=values["refresh_margin_seconds"]),
    )
    return settings.scaled_to(token_life)


def clock_change(values: Mapping[str, Any]) -> timedelta:
    """Return how much longer two ticks can be apart when the clocks of the schedule's time zone go back."""
    by_the_clock = values["schedule"].startswith("cron(") and values["schedule_time_zone"] not in ("UTC", None)
    return _HOUR if by_the_clock else timedelta()


def check_together(reader: SettingsReader, values: Mapping[str, Any], issuer: "Issuer | None") -> None:
    """Note the faults that more than one setting makes; those of an issuer only if it is known."""
    check_windows(reader, values)
    _check_ticks(reader, values)
    if issuer and issuer.token_life:
        values = completed(values, issuer)
    _check_grant(reader, values)
    if issuer and issuer.token_life:
        _check_margin(reader, values, issuer.token_life, issuer.name)
        _check_versions(reader, values, issuer.token_life)
    elif issuer:
        _check_nothing_refreshes(reader, values, issuer.name)


def check_windows(reader: SettingsReader, values: Mapping[str, Any]) -> None:
    """Note a mandatory window that is not within the advisory one."""
    advisory, mandatory = values["advisory_window_hours"], values["mandatory_window_hours"]
    if reader.is_sound("advisory_window_hours", "mandatory_window_hours") and mandatory >= advisory:
        reader.fault("mandatory_window_hours", f"must be less than advisory_window_hours={advisory}")


def _check_ticks(reader: SettingsReader, values: Mapping[str, Any]) -> None:
    advisory = values["advisory_window_hours"]
    if not reader.is_sound("schedule", "advisory_window_hours"):
        return
    needed = max_time_for_two_ticks(values["schedule"]) + clock_change(values)
    but = f"but two ticks can take {needed / _HOUR:g} hours"
    if needed > timedelta(hours=advisory):
        reader.fault("schedule", f"must tick twice within advisory_window_hours={advisory}, {but}")
    elif needed > MAX_WATCH:
        reader.fault("schedule", f"must tick twice within 7 days, as far back as an alarm can look, {but}")


def _check_grant(reader: SettingsReader, values: Mapping[str, Any]) -> None:
    """The keep-alive refresh comes with the first tick in the last third of the idle life, and an alarm in its half."""
    idle, absolute = values["grant_idle_days"], values["grant_absolute_days"]
    if idle and reader.is_sound("schedule", "grant_idle_days"):
        gap = max_time_between_ticks(values["schedule"]) + clock_change(values)
        if gap > timedelta(days=idle) / 6:
            reader.fault(
                "schedule",
                f"must tick at least every {timedelta(days=idle) / 6 / _HOUR:g} hours, a sixth of "
                f"grant_idle_days={idle}, but ticks can be {gap / _HOUR:g} hours apart",
            )
    if idle and absolute and idle > absolute:
        reader.fault("grant_idle_days", f"must be at most grant_absolute_days={absolute}, when the grant ends anyway")


def _check_margin(reader: SettingsReader, values: Mapping[str, Any], token_life: timedelta, issuer: str) -> None:
    margin = values["refresh_margin_seconds"]
    if reader.is_sound("refresh_margin_seconds") and margin and timedelta(seconds=margin) >= token_life:
        raise_it = f", or raise {issuer}_default_lifetime_seconds" if issuer == OAUTH2 else ""
        reader.fault(
            "refresh_margin_seconds",
            f"must be less than a token's life of {token_life.total_seconds():g} seconds. Lower it{raise_it}",
        )


def _check_versions(reader: SettingsReader, values: Mapping[str, Any], token_life: timedelta) -> None:
    timing = ("schedule", "advisory_window_hours", "mandatory_window_hours", "refresh_margin_seconds")
    if values["refresh_policy"] != ALWAYS or not reader.is_sound(*timing):
        return
    fresh = token_life - windows_of(values, token_life).advisory
    writes = _refreshes_of_a_day(ticks_of_a_day(values["schedule"]), fresh)
    if writes > MAX_VERSIONS:
        reader.fault(
            "refresh_policy",
            f"would store {writes} versions of the secret in 24 hours, of tokens that live "
            f"{token_life.total_seconds():g} seconds, and Secrets Manager keeps at most {MAX_VERSIONS}. Set auto or "
            f"demand, or a slower schedule than {values['schedule']}",
        )


def _check_nothing_refreshes(reader: SettingsReader, values: Mapping[str, Any], issuer: str) -> None:
    for key in ("refresh_margin_seconds", "refresh_policy", "grant_idle_days", "grant_absolute_days"):
        if reader.is_sound(key) and values[key] not in (0, reader.default(key)):
            reader.fault(key, f"has no effect with issuer={issuer}, because a person renews the token. Remove it")


def _refreshes_of_a_day(ticks: list[timedelta], fresh: timedelta) -> int:
    """Return how many of a day's ticks find the token due, when a token is fresh for `fresh` after each refresh."""
    refreshes, due = 0, timedelta()
    for tick in ticks:
        if tick >= due:
            refreshes, due = refreshes + 1, tick + fresh
    return refreshes

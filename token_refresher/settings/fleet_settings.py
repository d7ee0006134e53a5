"""The settings of a fleet, which keeps many connections alive."""

from collections.abc import Mapping
from typing import Annotated, Literal, TypedDict, cast

from refresh_token.core.grant_life import MAX_DAYS
from refresh_token.fleet.due import AUTO, POLICIES
from refresh_token.fleet.settings import DEFAULT_REFRESHES_PER_SECOND, MAX_REFRESHES_PER_SECOND
from refresh_token.oauth.rules import Whole, choice
from refresh_token.oauth.setting import Setting
from token_refresher.settings.combinations import check_windows
from token_refresher.settings.reader import SettingsReader
from token_refresher.settings.resource_settings import SharedSettings
from token_refresher.settings.rules import Flag
from token_refresher.settings.setting import settings_of
from token_refresher.settings.timing_settings import WindowSettings


class FleetSettings(TypedDict, total=False):
    """How a fleet refreshes its connections."""

    refreshes_per_second: Annotated[
        int,
        Setting(
            rule=Whole(1, MAX_REFRESHES_PER_SECOND, "a second"),
            default=DEFAULT_REFRESHES_PER_SECOND,
            about="how many refreshes a fleet sends to each provider: stay below the rate limit of your app there",
        ),
    ]
    max_workers: Annotated[
        int,
        Setting(
            # Lambda API reference, ScalingConfig.
            rule=Whole(2, 1000, "workers, Lambda's limits"),
            default=10,
            about="how many workers of a fleet may run at once. They use the account's quota of concurrent calls",
        ),
    ]
    connection_policy: Annotated[
        Literal["auto", "warm", "demand"],
        Setting(
            rule=choice(POLICIES),
            default=AUTO,
            about="whether a fleet refreshes tokens before they expire (`warm`), or only when a consumer asks and "
            "before the grant dies of idleness (`demand`). `auto` is `demand` for tokens that live less than seven "
            "minutes, else `warm`",
        ),
    ]
    idle_refresh_days: Annotated[
        int | None,
        Setting(
            rule=Whole(1, MAX_DAYS, "days"),
            default=None,
            about="after how many days without a refresh a fleet refreshes a connection, whatever its expiry. Without "
            "it, two thirds of the idle life that the provider's profile states",
        ),
    ]
    seal_access_tokens: Annotated[
        bool,
        Setting(
            rule=Flag(),
            default=False,
            about="whether a fleet also encrypts each access token by itself, as it does with refresh tokens. Each "
            "question then costs one more call of KMS. Without it, the table's own key encrypts access tokens",
        ),
    ]


class StandAloneSettings(FleetSettings, SharedSettings, WindowSettings, total=False):
    """All settings of a `ConnectionFleet` without a refresher."""


def checked_fleet(given: Mapping[str, object]) -> StandAloneSettings:
    """Return the given settings, and the defaults of all others.

    Raises:
        SettingsError: names every fault, not only the first.

    """
    reader = SettingsReader(settings_of(StandAloneSettings), given)
    reader.refuse_unknown_keys(given, {})
    values = reader.take_all()
    check_windows(reader, values)
    reader.check()
    return cast("StandAloneSettings", values)

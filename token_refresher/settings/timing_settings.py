"""The settings that say when a token is refreshed."""

from typing import Annotated, Literal, TypedDict

from refresh_token.core.grant_life import MAX_DAYS
from refresh_token.core.refresh_policy import AUTO, POLICIES
from refresh_token.core.windows import MAX_MARGIN
from refresh_token.oauth.rules import Whole, choice
from refresh_token.oauth.setting import Setting
from token_refresher.settings.rules import TIME_ZONE, Flag, ScheduleExpression


class WindowSettings(TypedDict, total=False):
    """When tokens are refreshed, of one connection or of a fleet. Durations carry their unit in the name."""

    schedule_enabled: Annotated[
        bool,
        Setting(
            rule=Flag(),
            default=True,
            about="`false` stops the ticks, and removes the alarm that misses them. Consumers still refresh",
        ),
    ]
    advisory_window_hours: Annotated[
        int,
        Setting(
            # A pair of Figma tokens lives 90 days; a wider window would refresh on every tick.
            rule=Whole(2, 2160, "hours, 90 days at most"),
            default=168,
            about="how long before the expiry the schedule starts to refresh",
        ),
    ]
    mandatory_window_hours: Annotated[
        int,
        Setting(
            rule=Whole(1, 2159, "hours"),
            default=24,
            about="how long before the expiry consumers start to refresh too; less than the advisory window",
        ),
    ]


class TimingSettings(WindowSettings, total=False):
    """When the token of one connection is refreshed."""

    schedule: Annotated[
        str,
        Setting(
            rule=ScheduleExpression(),
            default="rate(12 hours)",
            about="when the schedule checks the token. An alarm reports missing checks, at most 7 days back",
        ),
    ]
    schedule_time_zone: Annotated[
        str,
        Setting(
            rule=TIME_ZONE,
            default="UTC",
            about="the time zone of a `cron(...)` schedule",
        ),
    ]
    refresh_margin_seconds: Annotated[
        int | None,
        Setting(
            rule=Whole(0, int(MAX_MARGIN.total_seconds()), "seconds, a day at most"),
            default=None,
            about="for an issuer that refuses early refreshes: nothing refreshes a token earlier than this before the "
            "expiry, except a report and `force`. Shortens both windows; `0` leaves them as they are. Without it, the "
            "issuer's own margin counts, which is 0 for most",
        ),
    ]
    refresh_policy: Annotated[
        Literal["auto", "always", "demand"],
        Setting(
            rule=choice(POLICIES),
            default=AUTO,
            about="whether the schedule refreshes a token that is due (`always`), or leaves that to the next consumer "
            "(`demand`), which suits tokens that live for minutes. `auto` is `demand` for tokens that live less than "
            "21.6 minutes, else `always`",
        ),
    ]
    grant_idle_days: Annotated[
        int | None,
        Setting(
            rule=Whole(0, MAX_DAYS, "days"),
            default=None,
            about="after how many days without a refresh the grant ends, as the provider documents it. The schedule "
            "refreshes when two thirds have passed, even if the token is fresh, so it must tick in each sixth. `0` "
            "means not known. Without it, what the issuer's profile says counts",
        ),
    ]
    grant_absolute_days: Annotated[
        int | None,
        Setting(
            rule=Whole(0, MAX_DAYS, "days"),
            default=None,
            about="how many days after the sign-in the grant ends, as the provider documents it. An alarm goes off at "
            "most 14 days before the earliest end that is known. `0` means not known. Without it, what the issuer's "
            "profile says counts",
        ),
    ]

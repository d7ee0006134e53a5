"""The settings of a refresher. A setting is one field below: its type, rule, default and description.

`TokenRefresher` takes them as keyword arguments. The README's table is made from them, see `infra.settings_table`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal, TypedDict, cast

from refresh_token.core.grant_life import MAX_DAYS
from refresh_token.core.refresh_policy import AUTO, POLICIES
from refresh_token.core.windows import MAX_MARGIN
from refresh_token.oauth.rules import Whole, choice
from refresh_token.oauth.setting import Setting
from token_refresher.settings.combinations import check_together, margin_of
from token_refresher.settings.reader import SettingsReader
from token_refresher.settings.rules import EMAIL, TIME_ZONE, Flag, OneOf, ScheduleExpression
from token_refresher.settings.setting import settings_of

if TYPE_CHECKING:
    from token_refresher.issuers import Issuer

Architecture = Literal["arm64", "x86_64"]

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
ARCHITECTURES: tuple[Architecture, ...] = ("arm64", "x86_64")
# CloudWatch Logs API reference, PutRetentionPolicy: it accepts no other number of days.
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


class TimingSettings(TypedDict, total=False):
    """When a token is refreshed. Durations carry their unit in the name."""

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
    refresh_margin_seconds: Annotated[
        int | None,
        Setting(
            rule=Whole(0, int(MAX_MARGIN.total_seconds()), "seconds, a day at most"),
            default=None,
            about="for an issuer that refuses early refreshes: nothing refreshes a token earlier than this before the "
            "expiry, except a report and `force`. Shortens both windows; `0` leaves them as they are. Without it, the "
            "issuer's own margin counts, which is 0 for those in this table",
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
        int,
        Setting(
            rule=Whole(0, MAX_DAYS, "days"),
            default=0,
            about="after how many days without a refresh the grant ends, as the provider documents it. The schedule "
            "refreshes when two thirds have passed, even if the token is fresh, so it must tick in each sixth; `0` "
            "means not known",
        ),
    ]
    grant_absolute_days: Annotated[
        int,
        Setting(
            rule=Whole(0, MAX_DAYS, "days"),
            default=0,
            about="how many days after the sign-in the grant ends, as the provider documents it. An alarm goes off at "
            "most 14 days before the earliest end that is known; `0` means not known",
        ),
    ]


class ResourceSettings(TypedDict, total=False):
    """How the function, its logs, its secrets and its alarms are set up."""

    log_retention_days: Annotated[
        int,
        Setting(
            rule=OneOf(RETENTION_DAYS, "the periods that CloudWatch Logs offers"),
            default=30,
            about="how many days CloudWatch keeps the logs",
        ),
    ]
    architecture: Annotated[
        Architecture,
        Setting(
            rule=choice(ARCHITECTURES),
            default="arm64",
            about="the function's processor. On `local` it can be `machine`: that of the machine you deploy from",
        ),
    ]
    memory_mb: Annotated[
        int,
        Setting(
            rule=Whole(128, 10_240, "MB, Lambda's limits"),
            default=512,
            about="the function's memory. Its share of a processor grows with it",
        ),
    ]
    timeout_seconds: Annotated[
        int,
        Setting(
            # Three attempts of 3 s to connect and 10 s to read, at most 13 s of pauses between them, 5 s for the write.
            rule=Whole(58, 900, "seconds: three attempts at the issuer, and Lambda's limit"),
            default=60,
            about="how long one call of the function may take",
        ),
    ]
    reserved_concurrency: Annotated[
        int | None,
        Setting(
            rule=Whole(1, 1000),
            default=None,
            about="how many calls of the function may run at once. Lambda keeps this much of the account's quota free "
            "for it and throttles further calls. It costs nothing, and cannot be deployed where the quota is 10. "
            "The lock does not need it",
        ),
    ]
    snap_start: Annotated[
        bool,
        Setting(
            rule=Flag(),
            default=False,
            about="starts the function from a snapshot. You pay for the snapshot while its version exists (about 2 USD "
            "a month at 512 MB) and for each restore. Deployments take minutes longer",
        ),
    ]
    canary: Annotated[
        bool,
        Setting(
            rule=Flag(),
            default=False,
            about="whether a deployment tries a new version of the function first, with one tick and then with a tenth "
            "of the calls for ten minutes, and is rolled back if that fails. See "
            "[canary](docs/infrastructure.md#try-a-new-version-first)",
        ),
    ]
    customer_managed_key: Annotated[
        bool,
        Setting(
            rule=Flag(),
            default=False,
            about="encrypts the secrets with their own KMS key instead of the account's `aws/secretsmanager`. It costs "
            "1 USD a month, and 0.03 USD for 10,000 reads",
        ),
    ]
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"],
        Setting(
            rule=choice(LOG_LEVELS),
            default="INFO",
            about="the least severe lines that the function logs",
        ),
    ]
    tracing: Annotated[
        bool,
        Setting(rule=Flag(), default=True, about="whether X-Ray traces the function"),
    ]
    dashboard: Annotated[
        bool,
        Setting(rule=Flag(), default=True, about="whether there is a dashboard. It costs 3 USD a month after three"),
    ]
    client_layer: Annotated[
        bool,
        Setting(rule=Flag(), default=True, about="whether there is a layer with `token_client` for consumers"),
    ]
    alarms: Annotated[
        bool,
        Setting(
            rule=Flag(),
            default=True,
            about="whether there are alarms, and a topic for them. Without them, watch the metrics yourself",
        ),
    ]
    alarm_email: Annotated[
        str | None,
        Setting(
            rule=EMAIL,
            default=None,
            about="who gets the alarms by e-mail. SNS first sends a link to confirm the subscription",
        ),
    ]


class RefresherSettings(TimingSettings, ResourceSettings, total=False):
    """All settings of a refresher. What `checked` returns has every key."""


def checked(given: Mapping[str, object], issuer: "Issuer | None" = None) -> RefresherSettings:
    """Return the given settings, and the defaults of all others. With an issuer, they must fit it, and it adds its own.

    Raises:
        SettingsError: names every fault, not only the first.

    """
    settings = settings_of(RefresherSettings)
    reader = SettingsReader(settings, given)
    reader.refuse_unknown_keys(given, {})
    values = reader.take_all()
    check_together(reader, values, issuer)
    reader.check()
    if issuer:
        values["refresh_margin_seconds"] = margin_of(values, issuer)
    return cast("RefresherSettings", values)

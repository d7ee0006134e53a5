"""The settings of the resources: the function, its logs, its secrets and its alarms."""

from typing import Annotated, Literal, TypedDict

from refresh_token.oauth.rules import Whole, choice
from refresh_token.oauth.setting import Setting
from token_refresher.settings.rules import EMAIL, EVENT_BUS, Flag, OneOf

Architecture = Literal["arm64", "x86_64"]

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
ARCHITECTURES: tuple[Architecture, ...] = ("arm64", "x86_64")
# CloudWatch Logs API reference, PutRetentionPolicy: it accepts no other number of days.
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


class SharedSettings(TypedDict, total=False):
    """How functions, their logs, secrets and alarms are set up, of one connection or of a fleet."""

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
    event_bus: Annotated[
        str | None,
        Setting(
            rule=EVENT_BUS,
            default=None,
            about="the EventBridge bus that gets an [event](docs/events.md#changes-of-state) when the state of a "
            "connection changes: `default`, or the name or ARN of another one. Without it, only a fleet sends events, "
            "to `default`",
        ),
    ]


class ResourceSettings(SharedSettings, total=False):
    """How the resources of one connection are set up."""

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

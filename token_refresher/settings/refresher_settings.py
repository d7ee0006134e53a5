"""What a refresher may be told. The table in the README is made from the fields below, see `infra.settings_table`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any, Literal, Self

from token_refresher.settings.issuer_rules import (
    AMPLIFY,
    FIGMA,
    ISSUERS,
    OAUTH2,
    SCOPE,
    STANDARD_FIELDS,
    Own,
    Strings,
    address,
    check_issuer,
    over_http,
)
from token_refresher.settings.reader import ContextReader, SettingsError
from token_refresher.settings.rules import EMAIL, HTTP_URL, Choice, Flag, OneOf, Rule, ScheduleExpression, Whole
from token_refresher.settings.schedule_expression import longest_two_ticks

Architecture = Literal["arm64", "x86_64"]

ARCHITECTURES = ("arm64", "x86_64")
# CloudWatch Logs API reference, PutRetentionPolicy: no other number of days is accepted.
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
LONGEST_WATCH = timedelta(days=7)
"""How far back an alarm can look for a tick (CloudWatch API reference, PutMetricAlarm, `Period`)."""


def _setting(rule: Rule, about: str, *, default: object, own: Own | None = None, hidden: bool = False) -> Any:  # noqa: ANN401 - the field's annotation is the type
    """Return a field that carries its rule, and what it is in a sentence or two of Markdown.

    The value of a hidden one is in no message.
    """
    return field(default=default, metadata={"rule": rule, "about": about, "own": own, "hidden": hidden})


@dataclass(frozen=True, kw_only=True)
class RefresherSettings:
    """Every setting there is. Durations carry their unit in the name.

    Values that come from outside are checked by `checked`; the constructor believes what it is given.
    """

    schedule: str = _setting(
        ScheduleExpression(),
        "when the token is looked at, in UTC. An alarm notices ticks that are missing, and can look back 7 days",
        default="rate(12 hours)",
    )
    advisory_window_hours: int = _setting(
        # A pair of Figma tokens lives 90 days; a wider window would refresh on every tick.
        Whole(2, 2160, "hours, 90 days at most"),
        "from so long before the expiry on the schedule refreshes",
        default=168,
    )
    mandatory_window_hours: int = _setting(
        Whole(1, 2159, "hours"),
        "from so long before the expiry on consumers refresh, too; less than the advisory window",
        default=24,
    )
    issuer: str = _setting(
        Choice(ISSUERS),
        "who refreshes: Amplify UI Builder, Figma itself with an app of your own, or any OAuth 2 server. The last two "
        "take one more secret, 0.40 USD a month; see [issuers](docs/issuers.md)",
        default=AMPLIFY,
    )
    figma_base_url: str = _setting(
        address(),
        "where Figma is, with `issuer=figma`; for Government `https://api.figma-gov.com`. On `local` http will do",
        default="https://api.figma.com",
        own=Own(FIGMA, "FIGMA_BASE_URL"),
    )
    oauth2_token_url: str | None = _setting(
        address(query=True),
        "the server's token endpoint, which `issuer=oauth2` needs. It may have a query. On `local` http will do",
        default=None,
        own=Own(OAUTH2, "OAUTH2_TOKEN_URL", needed=True),
    )
    oauth2_client_auth: str = _setting(
        Choice(("basic", "post")),
        "how the app's credentials are sent with `issuer=oauth2`: in a header or in the form",
        default="basic",
        own=Own(OAUTH2, "OAUTH2_CLIENT_AUTH"),
    )
    oauth2_scope: str | None = _setting(
        SCOPE,
        "sent with `issuer=oauth2`. Without it the server grants what it granted before",
        default=None,
        own=Own(OAUTH2, "OAUTH2_SCOPE"),
    )
    oauth2_extra_parameters: Mapping[str, str] | None = _setting(
        Strings(STANDARD_FIELDS),
        'sent with `issuer=oauth2`, such as `{"audience": "design"}`. Readable in the function\'s configuration: '
        "no place for a secret",
        default=None,
        own=Own(OAUTH2, "OAUTH2_EXTRA_PARAMETERS"),
        hidden=True,
    )
    oauth2_default_lifetime_seconds: int = _setting(
        Whole(60, 31_536_000, "seconds, a year at most"),
        "how long a token lives with `issuer=oauth2` if the server does not say",
        default=3600,
        own=Own(OAUTH2, "OAUTH2_DEFAULT_LIFETIME"),
    )
    log_retention_days: int = _setting(
        OneOf(RETENTION_DAYS, "the days that CloudWatch Logs knows"), "days that logs are kept", default=30
    )
    architecture: Architecture = _setting(  # noqa: RUF009 - it returns a field
        Choice(ARCHITECTURES),
        "of the function; `machine`, on `local` only, is that of the machine at hand",
        default="arm64",
    )
    memory_mb: int = _setting(
        Whole(128, 10_240, "MB, Lambda's limits"),
        "of the function, whose share of processor goes with it",
        default=512,
    )
    timeout_seconds: int = _setting(
        # Three attempts of 3 s to connect and 10 s to read, at most 13 s of pauses between them, 5 s for the write.
        Whole(58, 900, "seconds: three attempts at the issuer, and Lambda's limit"),
        "of the function",
        default=60,
    )
    reserved_concurrency: int | None = _setting(
        Whole(1, 1000),
        "how many of the function may run at once, kept free for it. Costs that much of the account's quota and no "
        "money; does not deploy where the quota is 10; what comes above it is throttled. The lock needs none",
        default=None,
    )
    snap_start: bool = _setting(
        Flag(),
        "starts from a snapshot of the initialised function. Costs for the snapshot, by memory and time for as long "
        "as the version exists (about 2 USD a month at 512 MB), and for each restore; publishing takes minutes longer",
        default=False,
    )
    customer_managed_key: bool = _setting(
        Flag(),
        "encrypts the secret with a KMS key of its own in place of the account's `aws/secretsmanager`. Costs 1 USD a "
        "month, and a request to KMS with each read, 0.03 USD for 10,000",
        default=False,
    )
    alarm_email: str | None = _setting(
        EMAIL, "is told of the alarms, once the link in SNS's first message was followed", default=None
    )
    amplifyuibuilder_endpoint_url: str | None = _setting(
        HTTP_URL,
        "sends the calls of `issuer=amplify` elsewhere; not on `prod`",
        default=None,
        own=Own(AMPLIFY, "AWS_ENDPOINT_URL_AMPLIFYUIBUILDER"),
    )

    @classmethod
    def checked(cls, *, allow_http_issuer: bool = False, **values: object) -> Self:
        """Return the settings with these values, each checked.

        Raises:
            SettingsError: with every fault found, not only the first.

        """
        reader = settings_reader({**DEFAULTS, **values})
        return cls(**checked_values(reader, over_http() if allow_http_issuer else {}))

    def issuer_variables(self) -> dict[str, str]:
        """Return what the function is told of the chosen issuer: those of its settings that are set."""
        owned = {own.variable: getattr(self, key) for key, own in _OWNED.items() if own.issuer == self.issuer}
        return {
            variable: json.dumps(value, sort_keys=True) if isinstance(value, Mapping) else str(value)
            for variable, value in owned.items()
            if value is not None
        }

    def props(self) -> dict[str, Any]:
        """Return the settings as `TokenRefresher` takes them."""
        return {key: getattr(self, key) for key in KEYS}


FIELDS = fields(RefresherSettings)
DEFAULTS = {field.name: field.default for field in FIELDS}
KEYS = tuple(DEFAULTS)
_OWNED: dict[str, Own] = {one.name: one.metadata["own"] for one in FIELDS if one.metadata["own"]}


def settings_reader(raw: Mapping[str, object]) -> ContextReader:
    """Return the reader of raw values, by key."""
    return ContextReader(raw, keys=KEYS, hidden=tuple(one.name for one in FIELDS if one.metadata["hidden"]))


def checked_values(reader: ContextReader, rules: Mapping[str, Rule]) -> dict[str, Any]:
    """Return every key's value; `rules` are those that differ from the fields'. Raises `SettingsError`."""
    values: dict[str, Any] = {}
    for setting in FIELDS:
        if reader.is_sound(setting.name):
            rule = rules.get(setting.name, setting.metadata["rule"])
            values[setting.name] = reader.take(setting.name, rule, optional=setting.default is None)
    _check_together(reader, values)
    if reader.faults:
        raise SettingsError(reader.faults)
    return values


def _check_together(reader: ContextReader, values: Mapping[str, Any]) -> None:
    check_issuer(reader, _OWNED, values, DEFAULTS)
    windows = ("advisory_window_hours", "mandatory_window_hours")
    advisory, mandatory = (values[key] for key in windows)
    if reader.is_sound(*windows) and mandatory >= advisory:
        reader.fault("mandatory_window_hours", f"must be less than advisory_window_hours={advisory}")
    if not reader.is_sound("schedule", "advisory_window_hours"):
        return
    needed = longest_two_ticks(values["schedule"])
    but = f"but two ticks can take {needed / timedelta(hours=1):g} hours"
    if needed > timedelta(hours=advisory):
        reader.fault("schedule", f"must tick twice within advisory_window_hours={advisory}, {but}")
    elif needed > LONGEST_WATCH:
        reader.fault("schedule", f"must tick twice within 7 days, as far back as an alarm can look, {but}")

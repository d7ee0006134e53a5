"""What a stage may be told: `cdk.json` holds each stage's block, `-c key=value` overrides one key of it."""

import platform
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import timedelta
from typing import Literal, cast
from urllib.parse import urlsplit

from infra.context_reader import ContextReader, SettingsError, listed
from infra.schedule_expression import longest_two_ticks

Architecture = Literal["arm64", "x86_64"]

STAGES = ("dev", "prod", "local")
ISSUERS = ("amplify",)
ARCHITECTURES = ("arm64", "x86_64")
# CloudWatch Logs API reference, PutRetentionPolicy: no other number of days is accepted.
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
MACHINE = "machine"


@dataclass(frozen=True, kw_only=True)
class StageSettings:
    """One stage's settings, all checked. Durations carry their unit in the name."""

    stage: str
    schedule: str
    issuer: str
    architecture: Architecture
    log_retention_days: int
    memory_mb: int
    advisory_window_hours: int = 168
    mandatory_window_hours: int = 24
    timeout_seconds: int = 60
    reserved_concurrency: int | None = None
    amplifyuibuilder_endpoint_url: str | None = None

    @property
    def stack_name(self) -> str:
        """The CloudFormation stack, and the `service` dimension of the metrics."""
        return f"RefreshToken-{self.stage}"

    @property
    def retain_data(self) -> bool:
        """Whether the secret and the table outlive the stack."""
        return self.stage == "prod"

    @classmethod
    def from_context(
        cls, context: Mapping[str, object], *, machine: Callable[[], str] = platform.machine
    ) -> "StageSettings":
        """Read the CDK context: `stage`, the block `stages.<stage>`, and overrides, which arrive as strings.

        Raises:
            SettingsError: with every fault found, not only the first.

        """
        stage = context.get("stage", "dev")
        blocks = context.get("stages")
        block = blocks.get(stage) if isinstance(blocks, dict) and isinstance(stage, str) else None
        if stage not in STAGES or not isinstance(block, dict):
            raise SettingsError([f"stage={stage}: must be one of {listed(STAGES)}, with its own block in cdk.json"])
        overrides = {key: context[key] for key in _KEYS if key in context}
        reader = ContextReader({**_DEFAULTS, **block, **overrides}, keys=_KEYS)
        reader.refuse_unknown_keys(block, context)
        settings = cls(
            stage=stage,
            schedule=reader.text("schedule"),
            issuer=reader.choice("issuer", ISSUERS),
            architecture=_architecture(reader, stage=stage, machine=machine),
            log_retention_days=reader.one_of(
                "log_retention_days", RETENTION_DAYS, "the days that CloudWatch Logs knows"
            ),
            memory_mb=reader.integer("memory_mb", 128, 10_240, "MB, Lambda's limits"),
            # A pair of Figma tokens lives 90 days; a wider window would refresh on every tick.
            advisory_window_hours=reader.integer("advisory_window_hours", 2, 2160, "hours, 90 days at most"),
            mandatory_window_hours=reader.integer("mandatory_window_hours", 1, 2159, "hours"),
            # Three attempts of 3 s to connect and 10 s to read, the pauses between them, and 5 s for the write.
            timeout_seconds=reader.integer(
                "timeout_seconds", 50, 900, "seconds, three provider attempts to Lambda's limit"
            ),
            reserved_concurrency=reader.optional_integer("reserved_concurrency", 1, 1000),
            amplifyuibuilder_endpoint_url=_endpoint_url(reader, stage=stage),
        )
        _check_together(reader, settings)
        if reader.faults:
            raise SettingsError(reader.faults)
        return settings


_KEYS = tuple(field.name for field in fields(StageSettings) if field.name != "stage")
_DEFAULTS = {field.name: field.default for field in fields(StageSettings) if field.default is not MISSING}


def _architecture(reader: ContextReader, *, stage: str, machine: Callable[[], str]) -> Architecture:
    # Only a function that runs on this very machine may follow it; elsewhere two people would deploy two templates.
    choices = (*ARCHITECTURES, MACHINE) if stage == "local" else ARCHITECTURES
    wanted = reader.choice("architecture", choices)
    if wanted == MACHINE:
        return "arm64" if machine().lower() in ("arm64", "aarch64") else "x86_64"
    return cast("Architecture", wanted)


def _endpoint_url(reader: ContextReader, *, stage: str) -> str | None:
    key = "amplifyuibuilder_endpoint_url"
    if reader.absent(key):
        return None
    if stage == "prod":
        reader.fault(key, "must not be set on prod: it would send the refresh token elsewhere")
        return None
    url = reader.text(key)
    if reader.is_sound(key) and not _is_http_url(url):
        reader.fault(key, "must be a URL such as http://127.0.0.1:9999, without user, query or fragment")
    return url


def _is_http_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    extras = parts.username or parts.password or parts.query or parts.fragment
    plain = url.isascii() and url.isprintable() and " " not in url
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0 and plain and not extras


def _check_together(reader: ContextReader, settings: StageSettings) -> None:
    windows = ("advisory_window_hours", "mandatory_window_hours")
    if reader.is_sound(*windows) and settings.mandatory_window_hours >= settings.advisory_window_hours:
        reader.fault(
            "mandatory_window_hours", f"must be less than advisory_window_hours={settings.advisory_window_hours}"
        )
    if not reader.is_sound("schedule"):
        return
    try:
        needed = longest_two_ticks(settings.schedule)
    except ValueError as error:
        reader.fault("schedule", str(error))
        return
    if reader.is_sound("advisory_window_hours") and needed > timedelta(hours=settings.advisory_window_hours):
        rule = f"must tick twice within advisory_window_hours={settings.advisory_window_hours}"
        reader.fault("schedule", f"{rule}, but two ticks can take {needed / timedelta(hours=1):g} hours")

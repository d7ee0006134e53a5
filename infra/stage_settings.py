"""What a stage of ours may be told: `cdk.json` holds its block, `-c key=value` overrides one key of it."""

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from token_refresher.settings.issuer_rules import over_http
from token_refresher.settings.reader import SettingsError
from token_refresher.settings.refresher_settings import (
    ARCHITECTURES,
    DEFAULTS,
    KEYS,
    RefresherSettings,
    checked_values,
    settings_reader,
)
from token_refresher.settings.rules import Choice, Rule, listed

STAGES = ("dev", "prod", "local")
MACHINE = "machine"


@dataclass(frozen=True, kw_only=True)
class StageSettings(RefresherSettings):
    """One stage of our own stack, all checked."""

    stage: str

    @property
    def stack_name(self) -> str:
        """The CloudFormation stack, and the `service` dimension of the metrics."""
        return f"RefreshToken-{self.stage}"

    @property
    def parameter_path(self) -> str:
        """Where the ARNs are published in Parameter Store."""
        return f"/RefreshToken/{self.stage}"

    @property
    def allow_http_issuer(self) -> bool:
        """Whether the issuer's address may be http, as that of a stand-in on this very machine is."""
        return self.stage == "local"

    @property
    def retain_data(self) -> bool:
        """Whether the secret, its key, the table and the logs outlive the stack."""
        return self.stage == "prod"

    @classmethod
    def from_context(cls, context: Mapping[str, object], *, machine: Callable[[], str] = platform.machine) -> Self:
        """Read the CDK context: `stage`, the block `stages.<stage>`, and overrides, which arrive as strings.

        Raises:
            SettingsError: with every fault found, not only the first.

        """
        stage = context.get("stage", "dev")
        blocks = context.get("stages")
        block = blocks.get(stage) if isinstance(blocks, dict) and isinstance(stage, str) else None
        if stage not in STAGES or not isinstance(block, dict):
            raise SettingsError([f"stage={stage}: must be one of {listed(STAGES)}, with its own block in cdk.json"])
        raw = {**DEFAULTS, **block, **{key: context[key] for key in KEYS if key in context}}
        rules: dict[str, Rule] = {}
        if stage == "local":
            # Only a function that runs on this very machine may follow it; elsewhere two people would deploy two
            # templates.
            rules = {"architecture": Choice((*ARCHITECTURES, MACHINE)), **over_http()}
            if raw["architecture"] == MACHINE:
                raw["architecture"] = "arm64" if machine().lower() in ("arm64", "aarch64") else "x86_64"
        reader = settings_reader(raw)
        reader.refuse_unknown_keys(block, context)
        if stage == "prod" and not reader.absent("amplifyuibuilder_endpoint_url"):
            reader.fault(
                "amplifyuibuilder_endpoint_url", "must not be set on prod: it would send the refresh token elsewhere"
            )
        return cls(stage=stage, **checked_values(reader, rules))

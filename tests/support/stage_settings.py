"""Reads a stage's settings from a context, or their faults."""

from typing import Any

import pytest

from infra.stage_settings import StageSettings
from token_refresher.settings.reader import SettingsError


def read(context: dict[str, Any], **overrides: object) -> StageSettings:
    return StageSettings.from_context({**context, **overrides}, machine=lambda: "x86_64")


def faults(context: dict[str, Any], **overrides: object) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refused:
        read(context, **overrides)
    return refused.value.faults

"""A stage's template as the snapshot has it; tests/infra sees to it that this is what is deployed."""

import json
from pathlib import Path
from typing import Any

SNAPSHOTS = Path(__file__).parents[1] / "infra" / "snapshots"
STAGES = ("dev", "prod", "local")
VARIANTS = (*STAGES, "prod-figma", "dev-oauth2")
"""The snapshots that there are: each stage, and each other issuer."""


def resources(variant: str, kind: str) -> list[dict[str, Any]]:
    """Return the properties of all resources of a type."""
    template = json.loads((SNAPSHOTS / f"RefreshToken-{variant}.template.json").read_text(encoding="utf-8"))
    return [one["Properties"] for one in template["Resources"].values() if one["Type"] == kind]


def environment(variant: str) -> dict[str, Any]:
    """Return the function's environment variables."""
    (function,) = resources(variant, "AWS::Lambda::Function")
    variables: dict[str, Any] = function["Environment"]["Variables"]
    return variables

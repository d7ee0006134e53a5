"""A stage's template as the snapshot has it; tests/infra sees to it that this is what is deployed."""

import json
from pathlib import Path
from typing import Any

SNAPSHOTS = Path(__file__).parents[1] / "infra" / "snapshots"
STAGES = ("dev", "prod", "local")


def resources(stage: str, kind: str) -> list[dict[str, Any]]:
    """Return the properties of all resources of a type."""
    template = json.loads((SNAPSHOTS / f"RefreshToken-{stage}.template.json").read_text(encoding="utf-8"))
    return [one["Properties"] for one in template["Resources"].values() if one["Type"] == kind]


def environment(stage: str) -> dict[str, Any]:
    """Return the function's environment variables."""
    (function,) = resources(stage, "AWS::Lambda::Function")
    variables: dict[str, Any] = function["Environment"]["Variables"]
    return variables

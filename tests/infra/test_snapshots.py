"""The whole template of each stage and issuer as somebody last looked at it. `make snapshots` writes them anew."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.synthesised import VARIANTS

pytestmark = pytest.mark.xdist_group("synth")

SNAPSHOTS = Path(__file__).parent / "snapshots"


def normalised(template: str) -> str:
    """Return the template without what the bytes of the bundles decide, which the snapshot is not about."""
    return re.sub(r"\b[0-9a-f]{64}\.zip\b", "<asset>.zip", json.dumps(json.loads(template), indent=1)) + "\n"


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_template_is_the_one_that_was_looked_at(template_file: Callable[[str], Path], variant: str) -> None:
    snapshot = SNAPSHOTS / f"RefreshToken-{variant}.template.json"
    template = normalised(template_file(variant).read_text(encoding="utf-8"))
    if os.environ.get("RENEW_SNAPSHOTS"):
        snapshot.parent.mkdir(exist_ok=True)
        snapshot.write_text(template, encoding="utf-8")
    assert template == snapshot.read_text(encoding="utf-8"), (
        "if it is meant to be so: make snapshots, and look at git diff"
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_template_names_a_region_an_account_or_a_folder(template_file: Callable[[str], Path], variant: str) -> None:
    """So that it deploys to any region, and twice to one account."""
    template = template_file(variant).read_text(encoding="utf-8")
    assert re.findall(r"\b(?:us|eu|ap|ca|sa|me|af)-[a-z]+-\d\b|\b\d{12}\b|/work|/home|/root|/tmp", template) == []
    names = re.findall(r'"(\w+Name)": ("[^"{]+")', template)
    fixed = {(key, value) for key, value in names if "RefreshToken" in value and VARIANTS[variant][0] not in value}
    assert fixed <= {("PolicyName", '"RefreshToken"'), ("PolicyName", '"RefreshSchedule"')}

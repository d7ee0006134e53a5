"""The complete template of each stage and issuer, as somebody reviewed it. `make snapshots` updates the snapshots.

The other modules test what must hold whatever the template looks like, and settings that no snapshot has.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.synthesised import VARIANTS
from tests.support.template import as_snapshot, template, write

pytestmark = pytest.mark.xdist_group("synth")


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_template_is_the_reviewed_one(template_file: Callable[[str], Path], variant: str) -> None:
    current = as_snapshot(template_file(variant).read_text(encoding="utf-8"), VARIANTS[variant][0])
    if os.environ.get("RENEW_SNAPSHOTS"):
        write(variant, current)
    assert current == template(variant), "if you meant to change it: make snapshots, then review git diff"


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_template_names_a_region_account_or_folder(template_file: Callable[[str], Path], variant: str) -> None:
    """So it deploys to any region, and twice to one account."""
    text = template_file(variant).read_text(encoding="utf-8")
    assert re.findall(r"\b(?:us|eu|ap|ca|sa|me|af)-[a-z]+-\d\b|\b\d{12}\b|/work|/home|/root|/tmp", text) == []
    names = re.findall(r'"(\w+Name)": ("[^"{]+")', text)
    fixed = {(key, value) for key, value in names if "RefreshToken" in value and VARIANTS[variant][0] not in value}
    assert fixed <= {("PolicyName", '"RefreshToken"'), ("PolicyName", '"RefreshSchedule"')}

"""The issuer in docs/issuers.md is one class and its name in a list. Every part then knows it."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.checkout import ROOT

KNOWN = {
    "construct": True,
    "variables": {"ISSUER": "studio", "STUDIO_BASE_URL": "https://studio.example", "STUDIO_SCOPE": "files:write"},
    "faults": [
        "studio_base_url=http://x: must be an address with https, without user, query or fragment",
        "studio_scope=a: belongs to issuer=studio, but the issuer is figma. Remove it, or choose issuer=studio",
    ],
    "margins": [60, 0, 90],
    "rows": ["studio_base_url", "studio_scope"],
    "function": ["studio (studio.example)", True],
    "sign-in": ["Studio", "https://studio.example/oauth/authorize", ["files:write"]],
}


def with_new_row(folder: Path) -> Path:
    """Copy the function's package, and add what the page shows to the module of the issuers."""
    row, line = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "issuers.md").read_text(), re.DOTALL)[:2]
    shutil.copytree(ROOT / "lambda_src" / "refresh_token", folder / "refresh_token")
    module = folder / "refresh_token" / "oauth" / "issuers.py"
    text = module.read_text()
    (before,) = re.findall(r"^SETTINGS: Final.*?\}$", text, re.MULTILINE | re.DOTALL)
    module.write_text(text.replace(before, f"{row}\n\n{line}"))
    return folder


def test_one_row_is_enough_for_every_part(tmp_path: Path) -> None:
    path = os.pathsep.join([str(with_new_row(tmp_path)), str(ROOT), str(ROOT / "lambda_src")])
    aws = {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.new_issuer"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path, **aws},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    assert json.loads(done.stdout) == KNOWN

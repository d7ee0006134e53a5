"""The folder as a project: a real installation without a network, which leaves nothing behind in the folder."""

import subprocess
import sys
from pathlib import Path

from tests.support.checkout import ROOT

FOLDER = ROOT / "lambda_src" / "token_client"

IMPORT = """
import sys
import token_client, token_client.client, token_client.auth.rejections
assert token_client.__file__.startswith(sys.argv[1])
assert not {"requests", "httpx", "anyio", "refresh_token"} & set(sys.modules), "only their adapter needs them"
"""


def files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if "__pycache__" not in path.parts}


def test_it_installs_exactly_the_package(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(tmp_path), str(FOLDER)]
    subprocess.run(command, check=True, capture_output=True)
    package = {path for path in files(FOLDER) if path.suffix == ".py" or path.name == "py.typed"}
    assert files(tmp_path / "token_client") == package | {Path("auth")}
    assert files(FOLDER) == package | {Path("pyproject.toml"), Path("auth")}
    subprocess.run([sys.executable, "-c", IMPORT, str(tmp_path)], check=True, env={"PYTHONPATH": str(tmp_path)})

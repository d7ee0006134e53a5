"""The folder as a project of its own: installed for real, without a network, and nothing is left behind in it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checkout import ROOT

FOLDER = ROOT / "lambda_src" / "token_client"


def files() -> set[Path]:
    return {path.relative_to(FOLDER) for path in FOLDER.rglob("*") if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(FOLDER)]
    subprocess.run(command, check=True, capture_output=True)
    return target


def test_it_installs_every_module_and_its_types_and_leaves_the_folder_as_it_was(installed: Path) -> None:
    before = files()
    package = {path for path in before if path.suffix == ".py" or path.name == "py.typed"}
    found = {path.relative_to(installed / "token_client") for path in (installed / "token_client").rglob("*.*")}
    assert {path for path in found if "__pycache__" not in path.parts} == package
    assert before == package | {Path("pyproject.toml"), Path("auth")}


IMPORTED_ONLY_WHEN_USED = """
import sys
import token_client, token_client.client, token_client.auth.rejections
assert "urllib3" in sys.modules, "botocore brings it"
print(*{"requests", "httpx", "anyio", "refresh_token", "aws_lambda_powertools"} & set(sys.modules))
print(token_client.__file__)
"""


def test_http_libraries_are_imported_when_their_auth_is(installed: Path) -> None:
    command = [sys.executable, "-c", IMPORTED_ONLY_WHEN_USED]
    run = subprocess.run(command, check=True, capture_output=True, text=True, env={"PYTHONPATH": str(installed)})
    nothing, file = run.stdout.splitlines()
    assert nothing == ""
    assert Path(file).is_relative_to(installed)

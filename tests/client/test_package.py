"""The folder as a project: a real installation without a network, which leaves nothing behind in the folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checkout import ROOT

FOLDER = ROOT / "lambda_src" / "token_client"


def files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(FOLDER)]
    subprocess.run(command, check=True, capture_output=True)
    return target


def test_it_installs_exactly_the_package(installed: Path) -> None:
    package = {path for path in files(FOLDER) if path.suffix == ".py" or path.name == "py.typed"}
    assert files(installed / "token_client") == package | {Path("auth")}
    assert files(FOLDER) == package | {Path("pyproject.toml"), Path("auth")}


IMPORTED_WHEN_USED = """
import sys
import token_client, token_client.client, token_client.auth.rejections
assert "urllib3" in sys.modules, "botocore brings it"
print(*{"requests", "httpx", "anyio", "refresh_token", "aws_lambda_powertools"} & set(sys.modules))
print(token_client.__file__)
"""


def test_http_libraries_are_imported_with_their_adapter(installed: Path) -> None:
    command = [sys.executable, "-c", IMPORTED_WHEN_USED]
    run = subprocess.run(command, check=True, capture_output=True, text=True, env={"PYTHONPATH": str(installed)})
    nothing, file = run.stdout.splitlines()
    assert nothing == ""
    assert Path(file).is_relative_to(installed)

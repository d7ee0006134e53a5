"""Reading a bundle, and running code in it as Lambda does."""

import subprocess
from pathlib import Path

import pytest

from token_refresher.bundling.python_runtime import find_compiler

needs_3_13 = pytest.mark.skipif(
    find_compiler() is None, reason="this machine has no Python 3.13, so bundles carry no byte code"
)


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def run_in(folder: Path, script: str, **environment: str) -> str:
    """Run `script` with the standard library and the bundle alone, as in Lambda's /var/task; return what it prints."""
    found = find_compiler()
    assert found
    region = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}
    done = subprocess.run(
        [found.executable, "-I", "-S", "-B", "-c", f"import sys; sys.path.insert(0, {str(folder)!r})\n{script}"],
        check=False,
        capture_output=True,
        text=True,
        env={**region, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout

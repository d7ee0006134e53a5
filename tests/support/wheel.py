"""The wheel of this checkout, and environments outside of it that have the wheel with one of its extras."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from token_refresher.bundling.python_runtime import find_compiler

PACKAGES = ("lambda_src/refresh_token", "lambda_src/token_client", "token_refresher", "tokenctl")
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")


def wheel(factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, built once for all workers of a test run."""
    with _shared(factory) as folder:
        built = folder / "wheel"
        if not built.is_dir():
            # A copy: setuptools leaves a build folder behind, and takes in what an older one holds.
            source = folder / "source"
            for package in PACKAGES:
                shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
            for name in ("pyproject.toml", "README.md", "LICENSE"):
                shutil.copy(ROOT / name, source)
            _run(*PIP, "wheel", "--no-deps", "--wheel-dir", str(folder / "building"), str(source))
            (folder / "building").rename(built)
    (found,) = built.glob("*.whl")
    return found


def python_with(extra: str, factory: pytest.TempPathFactory) -> Path:
    """Return the interpreter of an environment that has the wheel with `extra` and nothing else."""
    file = wheel(factory)
    with _shared(factory) as folder:
        environment = folder / extra
        if not (environment / "done").exists():
            _run(sys.executable, "-m", "venv", "--clear", "--without-pip", str(environment))
            python = str(environment / "bin" / "python")
            constraints = ("--constraint", str(ROOT / "constraints.txt"))
            # Not compiled: of aws-cdk-lib's 300 services a test imports a few, and compiling them all takes 20 seconds.
            _run(*PIP, "--python", python, "install", "--no-compile", *constraints, f"{file}[{extra}]")
            (environment / "done").touch()
    return environment / "bin" / "python"


def path_with_compiler() -> str:
    """Return PATH with the interpreter first that compiles this checkout's bundles: a shim may only work in here."""
    path, compiler = os.environ["PATH"], find_compiler()
    if compiler is None:
        return path
    told = subprocess.run(
        [compiler.executable, "-c", "import sys; print(sys.executable)"], check=True, capture_output=True, text=True
    )
    return f"{Path(told.stdout.strip()).parent}{os.pathsep}{path}"


@contextmanager
def _shared(factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Lock a folder of all workers: one of them builds, the others wait and use what it built."""
    base = factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "installed"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

"""What `make dist` builds, and environments outside of the checkout that have a wheel of it and nothing else."""

import fcntl
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.dist import build
from tests.support.checkout import ROOT
from token_refresher.bundling.python_runtime import find_compiler

PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")


def dist(factory: pytest.TempPathFactory) -> Path:
    """Return the folder with both wheels, built once for all workers of a test run."""
    with _shared(factory) as folder:
        built = folder / "dist"
        if not built.is_dir():
            build(folder / "building")
            (folder / "building").rename(built)
    return built


def wheel(factory: pytest.TempPathFactory, name: str = "refresh_token") -> Path:
    (found,) = dist(factory).glob(f"{name}-*.whl")
    return found


def python_with(extra: str, factory: pytest.TempPathFactory) -> Path:
    """Return the interpreter of an environment that has the wheel with `extra`, or the client's, and nothing else."""
    wanted = wheel(factory, "refresh_token_client") if extra == "client" else f"{wheel(factory)}[{extra}]"
    with _shared(factory) as folder:
        environment = folder / extra
        if not (environment / "done").exists():
            _run(sys.executable, "-m", "venv", "--clear", "--without-pip", str(environment))
            python = str(environment / "bin" / "python")
            constraints = ("--constraint", str(_constraints(folder, extra)))
            # Not compiled: of aws-cdk-lib's 300 services a test imports a few, and compiling them all takes 20 seconds.
            _run(*PIP, "--python", python, "install", "--no-compile", *constraints, str(wanted))
            (environment / "done").touch()
    return environment / "bin" / "python"


def _constraints(folder: Path, extra: str) -> Path:
    """Return the file with our pins. The extra `cdk` gets the lowest versions that it allows."""
    pins = ROOT / "constraints.txt"
    if extra != "cdk":
        return pins
    bounds = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"][extra]
    lowest = [bound.partition(",")[0].replace(">=", "==") for bound in bounds]
    named = tuple(pin.partition("==")[0] for pin in lowest)
    others = [pin for pin in pins.read_text().splitlines() if not pin.startswith(("aws-cdk", *named))]
    file = folder / "lowest.txt"
    file.write_text("\n".join([*others, *lowest]))
    return file


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

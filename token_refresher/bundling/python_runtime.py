"""Finds an interpreter of the function's Python version, to compile byte code that Lambda's interpreter accepts."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from token_refresher.bundling.errors import BundlingError

RUNTIME_PYTHON = "3.13"
NAMED_PYTHON = "REFRESH_TOKEN_PYTHON"
"""The variable with the path of an interpreter to use instead of the first that fits."""
_MAGIC_NUMBER = "f30d0d0a"
"""The first bytes of the byte code of each Python 3.13, whatever its patch version. It loads no other byte code."""
# Where Lambda unpacks the code. Byte code names its source by this path, which tracebacks show.
_TASK_ROOT = "/var/task"


@dataclass(frozen=True, kw_only=True)
class Compiler:
    """A Python interpreter whose byte code the function can load."""

    executable: str

    def compile(self, folder: Path, parts: Sequence[str]) -> None:
        """Write `__pycache__` for the named parts of `folder`.

        Python never checks the hashes: Lambda's file system is read-only, so the sources cannot change under the byte
        code. This halves the import of a boto3 client, from 514 to 245 ms (docs/benchmarks.md, *What pays off*).

        Raises:
            BundlingError: a file could not be compiled.

        """
        command = [self.executable, "-S", "-P", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
        command += ["-s", str(folder), "-p", _TASK_ROOT, *(str(folder / part) for part in parts)]
        # Without the person's Python settings, such as -O or another cache folder. The seed fixes the order of sets.
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        clean["PYTHONHASHSEED"] = "0"
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=clean)  # noqa: S603 (our own)
        if done.returncode:
            raise BundlingError(f"{self.executable} could not compile the bundle: {done.stdout}{done.stderr}")


def find_compiler() -> Compiler | None:
    """Return the named interpreter; else the running one or the first on PATH that fits; else None.

    Raises:
        BundlingError: `REFRESH_TOKEN_PYTHON` names something else than a Python of the function's version.

    """
    named = os.environ.get(NAMED_PYTHON)
    for executable in [named] if named else _candidates():
        if _magic_number(executable) == _MAGIC_NUMBER:
            return Compiler(executable=executable)
    if named:
        raise BundlingError(
            f"{NAMED_PYTHON}={named}: must be the path of a Python {RUNTIME_PYTHON}. Correct it or unset it."
        )
    return None


def has_byte_code(folder: Path) -> bool:
    """Return whether a bundle holds byte code that the function can load."""
    return any(folder.rglob(f"*.cpython-{RUNTIME_PYTHON.replace('.', '')}.pyc"))


def _candidates() -> Iterator[str]:
    yield sys.executable
    for name in (f"python{RUNTIME_PYTHON}", "python3", "python"):
        # All of PATH: a shim of a version manager stands before the others and may refuse to run here.
        for folder in os.get_exec_path():
            if found := shutil.which(name, path=folder):
                yield found


def _magic_number(executable: str) -> str:
    script = "from importlib.util import MAGIC_NUMBER; print(MAGIC_NUMBER.hex())"
    command = [executable, "-I", "-S", "-c", script]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 (an interpreter)
    except OSError:
        return ""
    return done.stdout.strip()

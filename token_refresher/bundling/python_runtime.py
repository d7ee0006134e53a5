"""Finds an interpreter of the function's Python version, to compile byte code that Lambda's interpreter accepts."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

RUNTIME_PYTHON = "3.13"
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
        """
        command = [self.executable, "-S", "-P", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
        command += ["-s", str(folder), "-p", _TASK_ROOT, *(str(folder / part) for part in parts)]
        # Without the person's Python settings, such as -O or another cache folder. The seed fixes the order of sets.
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        subprocess.run(command, check=True, env={**clean, "PYTHONHASHSEED": "0"})  # noqa: S603 (our own arguments)


def find_compiler() -> Compiler | None:
    """Return the running interpreter if it fits, else the first one on PATH that fits, else None."""
    for executable in _candidates():
        if _magic_number(executable) == _MAGIC_NUMBER:
            return Compiler(executable=executable)
    return None


def _candidates() -> Iterator[str]:
    yield sys.executable
    for name in (f"python{RUNTIME_PYTHON}", "python3", "python"):
        if found := shutil.which(name):
            yield found


def _magic_number(executable: str) -> str:
    script = "from importlib.util import MAGIC_NUMBER; print(MAGIC_NUMBER.hex())"
    command = [executable, "-I", "-S", "-c", script]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 (an interpreter)
    except OSError:
        return ""
    return done.stdout.strip()

"""Adds the hashes of the wheels to pinned requirements: `make lock`, after you changed a pin.

A file is a list of `name==version`, dependencies included, with comments above it.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from token_refresher.bundling import pip
from token_refresher.bundling.bundle import REQUIREMENTS, WHEEL_PLATFORMS
from token_refresher.bundling.installed import normalised, pinned
from token_refresher.bundling.python_runtime import RUNTIME_PYTHON

ROOT = Path(__file__).resolve().parent.parent
FILES = (REQUIREMENTS, *sorted((ROOT / "bench" / "peers").glob("*/requirements.txt")))


def lock(requirements: Path) -> str:
    """Return the requirements with the hash of every wheel that a function on either architecture may need."""
    text = requirements.read_text(encoding="utf-8")
    hashes = [_hashes(requirements, platform) for platform in WHEEL_PLATFORMS.values()]
    lines = [line for line in text.splitlines() if line.startswith("#")]
    for pin, name in re.findall(r"^(([\w.-]+)==[^\s\\]+)", text, re.MULTILINE):
        found = sorted({each[normalised(name)] for each in hashes})
        lines.append(" \\\n    ".join([pin, *(f"--hash=sha256:{digest}" for digest in found)]))
    return "\n".join(lines) + "\n"


def _hashes(requirements: Path, platform: str) -> dict[str, str]:
    """Return the SHA-256 of the wheel that pip chooses for each package."""
    pins = [f"{name}=={version}" for name, version in pinned(requirements).items()]
    command = [sys.executable, "-P", "-m", "pip", "install", "--quiet", "--dry-run", "--report", "-", "--no-deps"]
    command += ["--ignore-installed", "--only-binary", ":all:", "--target", "unused", "--platform", platform]
    command += ["--implementation", "cp", "--python-version", RUNTIME_PYTHON, *pins]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=pip.environment(os.environ))  # noqa: S603 (our own arguments)
    return {
        normalised(wheel["metadata"]["name"]): wheel["download_info"]["archive_info"]["hashes"]["sha256"]
        for wheel in json.loads(done.stdout)["install"]
    }


def main() -> None:
    """Rewrite every file."""
    for file in FILES:
        file.write_text(lock(file), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Adds the hashes of the wheels to pinned requirements: `make lock`, after you changed a pin.

A file is a list of `name==version`, dependencies included, with comments above it. A pin may have an environment
marker.
"""

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from packaging.markers import Marker

from token_refresher.bundling import pip
from token_refresher.bundling.bundle import REQUIREMENTS, WHEEL_PLATFORMS
from token_refresher.bundling.installed import normalised
from token_refresher.bundling.python_runtime import RUNTIME_PYTHON

ROOT = Path(__file__).resolve().parent.parent
DEVELOPMENT = ROOT / "requirements-dev.lock"
"""What `make` installs: everything in constraints.txt, with hashes."""

_PIN = re.compile(r"^([\w.-]+)==([^\s;\\]+)(?: *; *([^\\\n]+?))?(?: *\\| --hash\S*)?$", re.MULTILINE)


@dataclass(frozen=True)
class Machines:
    """Where a file's packages are installed: versions of Python, and pip's platform tags for each kind of machine.

    The tags of the newest C library come first.
    """

    pythons: tuple[str, ...]
    tags: Mapping[str, tuple[tuple[str, ...], ...]]


def _linux(processor: str) -> tuple[tuple[str, ...], ...]:
    """Return the tags of machines with glibc 2.39, 2.34 and 2.28: pip prefers the newest tag that the machine has."""
    return tuple(
        (*(f"manylinux_2_{minor}_{processor}" for minor in range(newest, 4, -1)), f"manylinux2014_{processor}")
        for newest in (39, 34, 28)
    )


def _macos() -> tuple[tuple[str, ...], ...]:
    """Return the tags of macOS 15 and 14 on Apple's own processors."""
    return tuple(
        (
            *(f"macosx_{release}_0_{kind}" for release in range(newest, 10, -1) for kind in ("arm64", "universal2")),
            *(f"macosx_10_{minor}_universal2" for minor in range(16, 8, -1)),
        )
        for newest in (15, 14)
    )


LAMBDA = Machines((RUNTIME_PYTHON,), {name: ((tag,),) for name, tag in WHEEL_PLATFORMS.items()})
PYTHONS = ("3.11", "3.12", "3.13")
LINUX = Machines(PYTHONS, {"x86_64": _linux("x86_64"), "arm64": _linux("aarch64")})
"""The machines that `make` supports."""
OPERATORS = Machines(PYTHONS, {**LINUX.tags, "macos": _macos()})
"""These, and macOS, on which nobody has tried it."""


def lock(requirements: Path, machines: Machines) -> str:
    """Return the requirements with the hash of every wheel that one of the machines may need."""
    text = requirements.read_text(encoding="utf-8")
    pins = {name: (version, marker) for name, version, marker in _PIN.findall(text)}
    hashes: dict[str, set[str]] = defaultdict(set)
    environment = pip.environment(os.environ)
    for python, kinds in product(machines.pythons, machines.tags.values()):
        wanted = {
            f"{name}=={version}": name
            for name, (version, marker) in pins.items()
            if not marker or Marker(marker).evaluate({"python_version": python})
        }
        for tags in kinds:
            wheels = _chosen(wanted, python, tags, environment)
            for name, wheel in wheels.items():
                hashes[name].add(wheel["archive_info"]["hashes"]["sha256"])
            # What has no compiled part is the same on older machines.
            wanted = {pin: name for pin, name in wanted.items() if "-none-any" not in wheels[normalised(name)]["url"]}
    lines = [line for line in text.splitlines() if line.startswith("#")]
    for name, (version, marker) in pins.items():
        pin = f"{name}=={version}" + (f" ; {marker}" if marker else "")
        lines.append(" \\\n    ".join([pin, *(f"--hash=sha256:{each}" for each in sorted(hashes[normalised(name)]))]))
    return "\n".join(lines) + "\n"


def _chosen(
    pins: Iterable[str], python: str, tags: Iterable[str], environment: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """Return what pip reports about the wheel that it chooses for each package, by the package's name."""
    if not pins:
        return {}
    command = [sys.executable, "-P", "-m", "pip", "install", "--quiet", "--dry-run", "--report", "-", "--no-deps"]
    command += ["--ignore-installed", "--only-binary", ":all:", "--target", "unused", "--implementation", "cp"]
    command += [word for tag in tags for word in ("--platform", tag)] + ["--python-version", python, *pins]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment)  # noqa: S603 (our own arguments)
    wheels = json.loads(done.stdout)["install"]
    return {normalised(wheel["metadata"]["name"]): wheel["download_info"] for wheel in wheels}


def files() -> Iterator[tuple[Path, Path, Machines]]:
    """Yield each file with pins, the file that gets their hashes, and the machines."""
    for file in (REQUIREMENTS, *sorted((ROOT / "bench" / "peers").glob("*/requirements.txt"))):
        yield file, file, LAMBDA
    for name in ("local/requirements-ministack.txt", "infra/requirements-site.txt"):
        yield ROOT / name, ROOT / name, OPERATORS
    rie = ROOT / "tests" / "function" / "runtime" / "requirements-rie.txt"
    yield rie, rie, LINUX
    yield ROOT / "constraints.txt", DEVELOPMENT, OPERATORS


def main() -> None:
    """Rewrite every file."""
    for source, target, machines in files():
        target.write_text(lock(source, machines), encoding="utf-8")


if __name__ == "__main__":
    main()

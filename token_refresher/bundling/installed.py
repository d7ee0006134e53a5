"""Checks what pip installed against the pins, before a bundle is made of it."""

import base64
import csv
import hashlib
import re
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

from token_refresher.bundling.errors import BundlingError


def pinned(requirements: Path) -> dict[str, str]:
    """Return each pinned package's version, by its normalised name."""
    found = re.findall(r"^([\w.-]+)==([^\s;\\]+)", requirements.read_text(encoding="utf-8"), re.MULTILINE)
    return {normalised(name): version for name, version in found}


def check(folder: Path, requirements: Path) -> None:
    """Make sure that `folder` holds the pinned packages, each complete and unchanged, and no others.

    Raises:
        BundlingError: it does not; with a line for each fault.

    """
    distributions = [PathDistribution(path) for path in sorted(folder.glob("*.dist-info"))]
    present = {normalised(each.metadata["Name"]): each.version for each in distributions}
    wanted = pinned(requirements)
    faults = [
        f"{name}: {wanted.get(name, 'no version')} is pinned, {present.get(name, 'no version')} is installed"
        for name in sorted({*wanted, *present})
        if wanted.get(name) != present.get(name)
    ]
    faults += [fault for each in distributions for fault in _damage(folder, each)]
    if faults:
        raise BundlingError(
            f"pip did not install what {requirements} pins. Check whether a wrapper or a patch changes what pip does, "
            "then try again:\n" + "\n".join(faults)
        )


def _damage(folder: Path, distribution: Distribution) -> list[str]:
    """Return a line for each file that is missing or differs from the distribution's RECORD (PEP 376, PEP 427)."""
    name, record = distribution.metadata["Name"], distribution.read_text("RECORD")
    if not record:
        return [f"{name}: the list of its files, RECORD, is missing"]
    faults = []
    for path, digest, _size in csv.reader(record.splitlines()):
        # A script: with --target, pip moves scripts to another folder than the one that it lists.
        if path.startswith(".."):
            continue
        file = folder / path
        if not file.is_file():
            faults.append(f"{name}: {path} is missing")
        elif digest and digest != _digest(file, digest.partition("=")[0]):
            faults.append(f"{name}: {path} was changed")
    return faults


def _digest(file: Path, algorithm: str) -> str:
    digest = hashlib.new(algorithm, file.read_bytes()).digest()
    return f"{algorithm}={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def normalised(name: str) -> str:
    """Return the name as PEP 503 compares names."""
    return re.sub(r"[-_.]+", "-", name).lower()

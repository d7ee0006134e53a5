"""Prints the notes of a release: `python -m infra.release_notes v0.2.0`."""

import re
import sys
from pathlib import Path
from typing import Final

from token_client import __version__

CHANGELOG: Final = Path(__file__).resolve().parent.parent / "CHANGELOG.md"


def notes(tag: str, changelog: Path = CHANGELOG) -> str:
    """Return what the changelog says about a version, whose tag is ``v`` and the version.

    Raises:
        ValueError: it is not the version of these sources, or the changelog has no section for it.

    """
    if tag != f"v{__version__}":
        raise ValueError(
            f"The tag {tag} is not v{__version__}. Change token_client/__init__.py, or tag another commit."
        )
    found = re.search(
        rf"^## \[{re.escape(__version__)}\].*?\n(.*?)(?=^## |\Z)",
        changelog.read_text("utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    if found is None:
        raise ValueError(f"CHANGELOG.md has no section [{__version__}]. Give the section [Unreleased] that name.")
    return found[1].strip() + "\n"


if __name__ == "__main__":
    print(notes(sys.argv[1]), end="")  # noqa: T201 - a command's output

"""Fetches the two scripts of the site that its theme would load from a CDN: `python -m infra.site_assets FOLDER`.

npm packs the package alone, because the one file that we need works without the package's dependencies.
"""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final, NamedTuple


class Asset(NamedTuple):
    """One file of an npm package."""

    name: str
    package: str
    path: str
    sha256: str


ASSETS: Final = (
    # Draws the diagrams.
    Asset(
        "mermaid.min.js",
        "mermaid@11.17.2",
        "dist/mermaid.min.js",
        "581ed7d74bd9048d0e3a91363927d72ef22942d7722546b27f7cc29e35390eb8",
    ),
    # Lets a page that was opened as a file search.
    Asset(
        "iframe-worker.js",
        "iframe-worker@1.0.4",
        "shim/index.js",
        "e8e412dbcfea9b7e31b5ffa288d7b6035915e714c542f4176a0cdbe262fc9609",
    ),
)


def fetch(asset: Asset) -> bytes:
    """Return the file; `SystemExit` if it is not the one that we know."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", "--pack-destination", folder, asset.package]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own arguments
        (archive,) = Path(folder).iterdir()
        with tarfile.open(archive) as files:
            member = files.extractfile(f"package/{asset.path}")
            content = member.read() if member else b""
    if hashlib.sha256(content).hexdigest() != asset.sha256:
        sys.exit(f"{asset.path} of {asset.package} is not the file that infra/site_assets.py names. Nothing was kept.")
    return content


if __name__ == "__main__":
    for each in ASSETS:
        (Path(sys.argv[1]) / each.name).write_bytes(fetch(each))

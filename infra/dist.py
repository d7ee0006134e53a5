"""`make dist`: builds into dist/ what a release publishes.

That is the wheels, a software bill of materials (CycloneDX 1.6), what teams without Python deploy, and checksums.

The same sources make the same bytes on every machine: the build sees a clean copy of the packages, with fixed times and
permissions, and its tools are pinned in the two pyproject.toml files.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from email.parser import BytesParser
from pathlib import Path
from typing import Any, Final

from infra import portable
from token_refresher.bundling import bill
from token_refresher.bundling.bundle import REQUIREMENTS
from token_refresher.bundling.errors import BundlingError

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGES: Final = ("lambda_src/refresh_token", "lambda_src/token_client", "token_refresher", "tokenctl")
CLIENT: Final = "lambda_src/token_client"
"""The client is a wheel of its own as well, `refresh-token-client`."""

TIME: Final = "1580601600"
"""The time of every file in a wheel, in seconds since 1970: any fixed time that a zip file can hold."""


def build(folder: Path) -> list[Path]:
    """Build both wheels and the bill of materials into `folder`, and return all three."""
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "source"
        for package in PACKAGES:
            # A copy: setuptools leaves a build folder behind, and takes in what an older one holds.
            shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, source)
        for path in source.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "wheel", "--no-deps"]
        for project in (source / CLIENT, source):
            subprocess.run(  # noqa: S603 - our own arguments
                [*command, "--wheel-dir", str(folder), str(project)],
                check=True,
                umask=0o022,
                env={**os.environ, "SOURCE_DATE_EPOCH": TIME},
            )
    wheels = sorted(folder.glob("*.whl"))
    materials = folder / "refresh-token.cdx.json"
    materials.write_text(_bill(wheels), encoding="utf-8")
    return [*wheels, materials]


def _bill(wheels: list[Path]) -> str:
    """Return the bill of materials: the wheels, what each requires, and the packages that the function ships with."""
    shipped = bill.pins(REQUIREMENTS)
    components = [*shipped]
    needs = {}
    for wheel in wheels:
        metadata = _metadata(wheel)
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        made = bill.component(metadata["Name"], metadata["Version"], digests=[digest])
        required = [_required(line) for line in metadata.get_all("Requires-Dist", [])]
        components += [made, *required]
        holds_function = metadata["Name"] == "refresh-token"
        needs[made["bom-ref"]] = {each["bom-ref"] for each in (*required, *(shipped if holds_function else ()))}
    return bill.document(components, needs)


def _metadata(wheel: Path) -> Any:  # noqa: ANN401 - an e-mail message
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return BytesParser().parsebytes(archive.read(name))


def _required(requirement: str) -> bill.Component:
    """Return the component for a requirement such as ``boto3>=1.43.0; extra == "cli"``."""
    specifier, _, marker = requirement.partition(";")
    name = re.split(r"[^\w.-]", specifier)[0]
    properties = [{"name": "refresh-token:requires", "value": specifier.strip()}]
    return bill.component(name) | {
        "scope": "optional" if "extra" in marker else "required",
        "properties": properties,
    }


def _sums(files: list[Path]) -> Path:
    """Write the checksums beside the files, as `sha256sum --check` reads them."""
    sums = files[0].with_name("SHA256SUMS")
    lines = sorted(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files)
    sums.write_text("".join(lines), encoding="utf-8")
    return sums


def main() -> None:
    """Build into dist/, and print what was built."""
    folder = ROOT / "dist"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        files = [*build(folder), *portable.build(folder)]
    except BundlingError as error:
        sys.exit(str(error))
    for file in [*files, _sums(files)]:
        print(file.relative_to(ROOT))  # noqa: T201 - a command's output


if __name__ == "__main__":
    main()

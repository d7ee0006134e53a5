"""Builds the folders that Lambda gets: pinned packages, our sources, byte code and a bill of materials. No Docker.

A build has two steps. Each step is cached under the hash of its inputs, so a change of our sources needs neither pip
nor a network. A built folder has the hash of its content as its name. It is used again only while that is true: else
somebody changed it, and it is built once more. What nobody has used for 30 days is deleted with the next build.
"""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from token_refresher.bundling import bill, installed, pip, pruning, python_runtime
from token_refresher.bundling.cache import digest, once, used
from token_refresher.bundling.errors import BundlingError
from token_refresher.bundling.pruning import FUNCTION_RULES, PruningRules, prune
from token_refresher.bundling.python_runtime import Compiler, find_compiler
from token_refresher.bundling.sources import content, copy_package, package_folder
from token_refresher.settings.resource_settings import Architecture

__all__ = ["CACHE", "REQUIREMENTS", "BundlingError", "build", "client_bundle", "function_bundle"]

REQUIREMENTS = Path(__file__).parent / "requirements.txt"
"""The packages that the function ships with: each pinned, with the hashes of its wheels."""

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "refresh-token" / "bundles"

# The wheels' names for Lambda's two processors; Amazon Linux 2023 runs all of manylinux2014.
WHEEL_PLATFORMS = {"arm64": "manylinux2014_aarch64", "x86_64": "manylinux2014_x86_64"}
# Raise this when the layout of a bundle changes: it is part of every hash.
_LAYOUT = 5
# 1 January 1980 UTC, the first day that a zip file can hold.
_ZIP_EPOCH = 315_532_800


@dataclass(frozen=True, kw_only=True)
class _Inputs:
    """Everything that decides the bytes of the installed packages."""

    layout: int
    tools: str
    """Hash of the modules that install, prune, list and compile; they also name Python's version and magic number."""
    requirements: str
    wheel_platform: str
    rules: PruningRules
    compiled: bool


def function_bundle(architecture: Architecture) -> Path:
    """Return the folder of the refresh function. Raises `BundlingError`."""
    return build(
        sources=[package_folder("refresh_token")],
        requirements=REQUIREMENTS,
        architecture=architecture,
        name="refresh-token",
        version=_version(),
    )


def client_bundle(source: Path | None = None, *, cache: Path = CACHE) -> Path:
    """Return the folder of the client's layer, with the package where Lambda looks for Python code in a layer."""
    package, version = source or package_folder("token_client"), _version()

    def assemble(folder: Path) -> None:
        copy_package(package, folder / "python")
        bill.write(folder, "refresh-token-client", version)
        _finish(folder, None, parts=[])

    return once(cache / digest([b"layer", _tools(), version.encode(), *content(package)]), assemble)


def build(  # noqa: PLR0913 (keyword-only)
    *,
    sources: Sequence[Path],
    requirements: Path,
    architecture: Architecture,
    name: str = "function",
    version: str = "",
    rules: PruningRules = FUNCTION_RULES,
    cache: Path = CACHE,
    compiler_finder: Callable[[], Compiler | None] = find_compiler,
) -> Path:
    """Return the folder to upload; its name is the hash of its content, and so the asset hash.

    Each folder of `sources` is copied into the root under its own name. `name` and `version` are for the bill of
    materials, `<name>.cdx.json`, which lists the packages with their licences. `requirements` must pin every package,
    dependencies included, with the hashes of its wheels. Only the packages that it names are installed. Without a
    compiler the bundle has no byte code.

    Raises:
        BundlingError: pip or the compiler failed, or pip installed something other than what is pinned.

    """
    compiler = compiler_finder()
    inputs = _Inputs(
        layout=_LAYOUT,
        tools=_tools().hex(),
        requirements=requirements.read_text(encoding="utf-8"),
        wheel_platform=WHEEL_PLATFORMS[architecture],
        rules=rules,
        compiled=compiler is not None,
    )
    packages_hash = digest([json.dumps(asdict(inputs), sort_keys=True).encode()])

    def install(folder: Path) -> None:
        pip.install(requirements, folder, wheel_platform=inputs.wheel_platform)
        installed.check(folder, requirements)
        prune(folder, rules)
        _finish(folder, compiler, parts=sorted(path.name for path in folder.iterdir()))

    def assemble(folder: Path) -> None:
        packages = once(cache / f"packages-{packages_hash}", install)
        shutil.copytree(packages, folder, dirs_exist_ok=True)
        for source in sources:
            copy_package(source, folder)
        bill.write(folder, name, version)
        _finish(folder, compiler, parts=[source.name for source in sources])

    source_contents = [part for source in sources for part in content(source)]
    used(cache / f"packages-{packages_hash}")  # the next change of our sources needs them
    named = [part.encode() for part in (packages_hash, name, version)]
    return once(cache / digest([*named, *source_contents]), assemble)


def _tools() -> bytes:
    """Return a hash of the modules that decide what a bundle holds."""
    modules = (bill, pip, pruning, python_runtime)
    return bytes.fromhex(digest([Path(module.__file__ or "").read_bytes() for module in modules]))


def _version() -> str:
    """Return the version of our packages without importing the client, which needs boto3."""
    text = (package_folder("token_client") / "__init__.py").read_text(encoding="utf-8")
    return text.partition('__version__ = "')[2].partition('"')[0]


def _finish(folder: Path, compiler: Compiler | None, *, parts: Sequence[str]) -> None:
    """Byte-compile `parts`, then give every file the same time and mode, so that equal inputs give equal bytes."""
    if compiler:
        compiler.compile(folder, parts)
    for path in (folder, *folder.rglob("*")):
        # Lambda runs the code as another user: the files must be readable whatever the umask was here.
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (_ZIP_EPOCH, _ZIP_EPOCH))

"""The folder that Lambda gets: pinned packages, our sources, byte code; nothing that is never loaded. No Docker.

Made in two steps, each cached under the hash of what went in, so that an edit of the sources needs neither pip nor a
network. A cached folder is complete or absent: it is built beside its final place and renamed.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from token_refresher.bundling import pruning, python_runtime
from token_refresher.bundling.pruning import FUNCTION_RULES, PruningRules, prune
from token_refresher.bundling.python_runtime import RUNTIME_PYTHON, Compiler, find_compiler
from token_refresher.settings.refresher_settings import Architecture

ROOT = Path(__file__).resolve().parents[2]
LAMBDA_SOURCES = ROOT / "lambda_src"
# The wheels' names for Lambda's two processors; Amazon Linux 2023 runs all of manylinux2014.
_WHEEL_PLATFORMS = {"arm64": "manylinux2014_aarch64", "x86_64": "manylinux2014_x86_64"}
# Raise when this module lays a bundle out differently: it is part of every hash.
_LAYOUT = 2
# 1 January 1980 UTC, the first day that a zip file can hold.
_ZIP_EPOCH = 315_532_800


def _cache() -> Path:
    """Return a folder to write to: the checkout's own, or the user's where this is an installed package."""
    if (ROOT / "pyproject.toml").is_file():
        return ROOT / ".cache" / "bundles"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "refresh-token" / "bundles"


CACHE = _cache()


class BundlingError(Exception):
    """The bundle could not be made; the text says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class _Inputs:
    """What decides the bytes of the installed packages."""

    layout: int
    tools: str
    """Hash of the modules that prune and compile; these also say for which Python."""
    requirements: str
    wheel_platform: str
    rules: PruningRules
    compiler: str


def function_bundle(architecture: Architecture) -> Path:
    """Return the folder of the refresh function. Raises `BundlingError`."""
    return build(
        sources=[LAMBDA_SOURCES / "refresh_token"],
        requirements=LAMBDA_SOURCES / "requirements.txt",
        architecture=architecture,
    )


def client_bundle(source: Path = LAMBDA_SOURCES / "token_client", *, cache: Path = CACHE) -> Path:
    """Return the folder of the client's layer: the package's sources where Lambda looks for Python in a layer."""

    def assemble(folder: Path) -> None:
        _copy(source, folder / "python")
        _finish(folder, None, parts=[])

    return _once(cache / _digest([b"layer", *_source_inputs([source])]), assemble)


def build(  # noqa: PLR0913 (keyword-only)
    *,
    sources: Sequence[Path],
    requirements: Path,
    architecture: Architecture,
    rules: PruningRules = FUNCTION_RULES,
    cache: Path = CACHE,
    compiler_finder: Callable[[], Compiler | None] = find_compiler,
) -> Path:
    """Return the folder to upload; its name is the asset hash.

    Each folder of `sources` lands in the root under its own name. `requirements` must pin every package,
    dependencies too: nothing that it does not name is installed.

    Raises:
        BundlingError: pip could not install the packages.

    """
    compiler = compiler_finder()
    if compiler is None:
        sys.stderr.write(
            f"No Python {RUNTIME_PYTHON} found: the function ships without byte code and starts about half as fast. "
            f"Install Python {RUNTIME_PYTHON} or run the CDK with it.\n"
        )
    inputs = _Inputs(
        layout=_LAYOUT,
        tools=_digest([Path(module.__file__ or "").read_bytes() for module in (pruning, python_runtime)]),
        requirements=requirements.read_text(encoding="utf-8"),
        wheel_platform=_WHEEL_PLATFORMS[architecture],
        rules=rules,
        compiler=compiler.version if compiler else "none",
    )
    packages_hash = _digest([json.dumps(asdict(inputs), sort_keys=True).encode()])

    def install(folder: Path) -> None:
        _pip_install(folder, requirements=requirements, wheel_platform=inputs.wheel_platform)
        prune(folder, rules)
        _finish(folder, compiler, parts=sorted(path.name for path in folder.iterdir()))

    def assemble(folder: Path) -> None:
        packages = _once(cache / f"packages-{packages_hash}", install)
        shutil.copytree(packages, folder, dirs_exist_ok=True)
        for source in sources:
            _copy(source, folder)
        _finish(folder, compiler, parts=[source.name for source in sources])

    return _once(cache / _digest([packages_hash.encode(), *_source_inputs(sources)]), assemble)


def _once(final: Path, make: Callable[[Path], None]) -> Path:
    """Return `final`, made first if it is absent. Two processes at once both make it and one result is kept."""
    if final.is_dir():
        return final
    final.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".building-", dir=final.parent) as scratch:
        folder = Path(scratch) / final.name
        folder.mkdir()
        make(folder)
        try:
            folder.rename(final)
        except OSError:
            if not final.is_dir():
                raise
    return final


def _digest(parts: Sequence[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8))
        digest.update(part)
    return digest.hexdigest()


def _copy(source: Path, folder: Path) -> None:
    """Put a package's sources into `folder`, under the package's name."""
    for file in _source_files(source):
        target = folder / source.name / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)


def _source_files(source: Path) -> list[Path]:
    files = (path for path in source.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return sorted(path for path in files if "__pycache__" not in path.parts)


def _source_inputs(sources: Sequence[Path]) -> list[bytes]:
    files = [(source, file) for source in sources for file in _source_files(source)]
    return [
        part
        for source, file in files
        for part in (f"{source.name}/{file.relative_to(source).as_posix()}".encode(), file.read_bytes())
    ]


def _pip_install(folder: Path, *, requirements: Path, wheel_platform: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--target", str(folder), "--requirement", str(requirements), "--no-deps", "--no-compile"]
    command += ["--only-binary", ":all:", "--platform", wheel_platform]
    command += ["--implementation", "cp", "--python-version", RUNTIME_PYTHON]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 (our own arguments)
    if done.returncode:
        raise BundlingError(
            f"pip could not install {requirements} for {wheel_platform}. Check the network or the package index, "
            f"then try again. pip said:\n{done.stderr.strip()}"
        )


def _finish(folder: Path, compiler: Compiler | None, *, parts: Sequence[str]) -> None:
    """Byte-compile `parts`, then give every file the same time and mode, so that equal inputs give equal bytes."""
    if compiler:
        compiler.compile(folder, parts)
    for path in (folder, *folder.rglob("*")):
        # Lambda runs the code as a user of its own: it must be readable whatever this person's umask is.
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (_ZIP_EPOCH, _ZIP_EPOCH))

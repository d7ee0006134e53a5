"""Our own packages, copied into a bundle as they are imported here: from a checkout or from the installed wheel."""

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

_PATTERNS = ("*.py", "py.typed", "catalogue/*.toml")


def package_folder(name: str) -> Path:
    """Return the folder of a top-level package without importing it.

    Raises:
        ModuleNotFoundError: the package is not installed.

    """
    spec = find_spec(name)
    if not spec or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"No package named {name}", name=name)
    return Path(spec.submodule_search_locations[0])


def copy_package(source: Path, folder: Path) -> None:
    """Copy a package into `folder`, under its own name."""
    for file in _files(source):
        target = folder / source.name / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)


def content(source: Path) -> Iterator[bytes]:
    """Yield the names and the contents of the files that `copy_package` copies."""
    for file in _files(source):
        yield f"{source.name}/{file.relative_to(source).as_posix()}".encode()
        yield file.read_bytes()


def _files(source: Path) -> list[Path]:
    # These and no others: a checkout also has a pyproject.toml in the client's folder, the wheel does not.
    return sorted(path for pattern in _PATTERNS for path in source.rglob(pattern))

"""Keeps what was built under the hash of its inputs, and forgets what nobody has used for a month."""

import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

MAX_UNUSED_DAYS = 30
_SCRATCH = ".building-"
# What this module has made, and nothing that somebody else keeps in the folder.
_OURS = re.compile(rf"(packages-)?[0-9a-f]{{64}}|{re.escape(_SCRATCH)}.+")


def once(cached: Path, make: Callable[[Path], None]) -> Path:
    """Return the folder in `cached` that is still what was built, or make it. Two processes may do so at once."""
    used(cached)
    if found := _unchanged(cached):
        return found
    cached.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=cached.parent) as scratch:
        _forget_unused(cached.parent, Path(scratch))
        folder = Path(scratch) / "built"
        folder.mkdir()
        make(folder)
        final = cached / _content_hash(folder)
        cached.mkdir(exist_ok=True)
        if final.exists() and _content_hash(final) != final.name:
            final.rename(Path(scratch) / "changed")
        try:
            folder.rename(final)
        except OSError:
            if not final.is_dir():
                raise
    return final


def used(cached: Path) -> None:
    """Note that the folder is in use today."""
    with suppress(OSError):  # it does not exist yet, or the cache is read-only
        os.utime(cached)


def digest(parts: Iterable[bytes]) -> str:
    """Return a hash of all parts that also tells where each one ends."""
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8))
        found.update(part)
    return found.hexdigest()


def _forget_unused(cache: Path, scratch: Path) -> None:
    """Delete what nobody has used for `MAX_UNUSED_DAYS`, including what a killed build has left.

    Another process may begin to use a folder at this moment. It notes that before it reads. So the folder first moves
    away, which is one step, and comes back if the note is new.
    """
    oldest = time.time() - MAX_UNUSED_DAYS * 24 * 3600
    for folder in cache.iterdir():
        with suppress(OSError):  # another process was faster
            if not _OURS.fullmatch(folder.name) or folder.stat().st_mtime >= oldest:
                continue
            moved = folder.rename(scratch / folder.name)
            if moved.stat().st_mtime >= oldest:
                moved.rename(folder)
            else:
                shutil.rmtree(moved)


def _unchanged(cached: Path) -> Path | None:
    with suppress(FileNotFoundError):  # it was just forgotten
        return next((folder for folder in sorted(cached.glob("*")) if _content_hash(folder) == folder.name), None)
    return None


def _content_hash(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return digest(part for file in files for part in (file.relative_to(folder).as_posix().encode(), file.read_bytes()))

"""Whether a process runs, and waiting for something that another process does."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

PATIENCE = 60
"""Seconds to wait for something that takes no time unless the machine is stuck."""

Found = TypeVar("Found")


def wait_until(happened: Callable[[], Found | None], *, seconds: float = PATIENCE) -> Found:
    """Return what is found, as soon as it is anything. Raises `TimeoutError`."""
    deadline = time.monotonic() + seconds
    while not (found := happened()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"It did not happen within {seconds:.0f} seconds.")
        time.sleep(0.02)
    return found


def exists(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"

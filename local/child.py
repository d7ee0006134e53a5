"""Child processes that end together with their own children, when they are stopped or their owner exits."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

POLITE_SECONDS = 5.0
"""Between SIGTERM and SIGKILL."""

TAIL_LINES = 20

# Waits for its input. A byte tells it to exit quietly; the end of the input means that the owner exited.
_WATCH = """
import os, signal, sys
if not sys.stdin.buffer.read(1):
    os.killpg(int(sys.argv[1]), signal.SIGKILL)
"""


class LogInUseError(RuntimeError):
    """Another child still writes this log."""


class Child:
    """A process group that writes to a log file.

    The group's leader holds a lock on its log while it lives, so that a pid in a file is never mistaken for a later
    process with the same number. Unless `keep` is set, a watcher kills the group when the owner ends, however it ends.

    Raises `LogInUseError` if another child still writes the same log.
    """

    def __init__(self, argv: Sequence[str | Path], *, env: Mapping[str, str], log: Path, keep: bool = False) -> None:
        self.log = log
        with log.open("ab") as output:
            try:
                fcntl.flock(output, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LogInUseError(
                    f"Another process still writes {log}. Stop it first, or use another folder."
                ) from None
            output.truncate(0)
            self._process = subprocess.Popen(
                argv, env=dict(env), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        self._watcher = None if keep else _watch(self._process.pid)

    @property
    def pid(self) -> int:
        """The process id, which is also the id of the group."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether the leader still runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End the group: send SIGTERM, and SIGKILL to what is left after `POLITE_SECONDS`."""
        _signal_group(self.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(POLITE_SECONDS)
        # Even if the leader has ended: its workers may have ignored SIGTERM.
        _signal_group(self.pid, signal.SIGKILL)
        self._process.wait()
        if self._watcher:
            self._watcher.communicate(b"x")

    def let_go(self) -> None:
        """Leave it running until `stop_kept`, called by this process or a later one."""
        self._process.returncode = 0  # otherwise Popen warns, when it is collected, that the process still runs

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def stop_kept(pid: int, log: Path) -> bool:
    """End a group that an earlier process started with `keep`. Return False if it has already ended."""
    if not in_use(log):
        return False
    _signal_group(pid, signal.SIGTERM)
    deadline = time.monotonic() + POLITE_SECONDS
    while in_use(log) and time.monotonic() < deadline:
        time.sleep(0.05)
    _signal_group(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):  # it is our own child only if this process started it
        os.waitpid(pid, 0)
    return True


def tail(log: Path) -> str:
    """Return the last lines of a log, for an error message."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(lines[-TAIL_LINES:]) or "(the log is empty)"


def in_use(log: Path) -> bool:
    """Whether the leader of the group that writes this log still lives."""
    try:
        with log.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS refuses to signal a group of zombies
        os.killpg(pid, number)


def _watch(pid: int) -> subprocess.Popen[bytes]:
    """Start the watcher, in its own session so that Ctrl-C does not end it before its work is done."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _WATCH, str(pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

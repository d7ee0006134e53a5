"""Finds the process behind a connection, so that a demo or a test can kill it in the middle of a call."""

import shutil
import subprocess
from pathlib import Path


def process_with_port(port: int) -> int | None:
    """Return the id of the process that holds the local end `port` of a TCP connection on the loopback, or None.

    It reads Linux's /proc, and elsewhere asks `lsof`.
    """
    return by_proc(port) if Path("/proc/net/tcp").exists() else by_lsof(port)


def by_proc(port: int) -> int | None:
    """Find it in /proc."""
    rows = (line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:])
    ours = {f"socket:[{row[9]}]" for row in rows if int(row[1].partition(":")[2], 16) == port and row[9] != "0"}
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(link.readlink()) in ours:
                return int(link.parts[2])
        except OSError:  # it has ended, or is somebody else's
            continue
    return None


def by_lsof(port: int) -> int | None:
    """Find it with `lsof`, which also names the process at the other end. Each line begins with what it is."""
    command = [shutil.which("lsof") or "lsof", "-nP", "-Fpn", f"-iTCP@127.0.0.1:{port}"]
    found: int | None = None
    for line in subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines():
        if line.startswith("p"):
            found = int(line[1:])
        elif line.partition("->")[0] == f"n127.0.0.1:{port}" and "->" in line:
            return found
    return None

"""Which process is at an end of a connection."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from local.process_by_port import by_lsof, by_proc

CALLER = "import socket, sys; called = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); sys.stdin.read()"


@pytest.mark.parametrize(
    "find",
    [
        pytest.param(
            by_proc, marks=pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="there is no /proc"), id="proc"
        ),
        pytest.param(
            by_lsof, marks=pytest.mark.skipif(not shutil.which("lsof"), reason="lsof is not installed"), id="lsof"
        ),
    ],
)
def test_the_caller_is_not_the_server(find: Callable[[int], int | None]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = [sys.executable, "-c", CALLER, str(server.getsockname()[1])]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as caller:
            accepted, (_, port) = server.accept()
            with accepted:
                assert find(port) == caller.pid
                assert find(server.getsockname()[1]) == os.getpid()
            caller.communicate()
        assert find(port) is None

"""The stand-in as its own process."""

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.environment import caller_environment
from local.standin import StandinControl
from tests.support.checkout import ROOT

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "local.standin", *arguments]
        pipe, env = subprocess.PIPE, caller_environment("")
        started.append(subprocess.Popen(command, cwd=ROOT, env=env, stdout=pipe, stderr=pipe, text=True))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal(start: Start, tmp_path: Path, number: signal.Signals) -> None:
    process = start("--port", "0", "--port-file", str(tmp_path / "url"))
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert (tmp_path / "url").read_text() == url
    control = StandinControl(url)
    assert control.accepts(control.grant().access_token)
    assert control.state()["pid"] == process.pid
    host, _, port = url.removeprefix("http://").partition(":")
    assert host == "127.0.0.1"
    with socket.socket() as other:
        # The same port is free on another loopback address, so the stand-in does not listen on all addresses.
        other.bind(("127.0.0.2", int(port)))
    second = start("--port", port)
    assert f"Port {port} is in use" in second.communicate()[1]
    assert second.returncode == 1
    process.send_signal(number)
    _, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")

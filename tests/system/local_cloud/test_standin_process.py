"""The stand-in in a process of its own."""

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.environment import caller_environment
from local.standin import Standin, StandinControl
from tests.support.checkout import ROOT

Start = Callable[..., subprocess.Popen[str]]


def address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def start() -> Iterator[Start]:
    """Start `python -m local.standin`; it says its address when it is ready."""
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.standin", *arguments],
            cwd=ROOT,
            env=caller_environment(""),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_its_address_takes_control_and_ends_on_a_signal(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    process = start("--port", "0", "--port-file", str(tmp_path / "url"))
    url = address(process)
    assert (tmp_path / "url").read_text() == url
    control = StandinControl(url)
    grant = control.grant()
    assert control.accepts(grant.access_token)
    assert control.state()["pid"] == process.pid
    process.send_signal(number)
    _, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")


def test_it_listens_on_the_loopback_address_only(start: Start) -> None:
    url = address(start())
    assert url.startswith("http://127.0.0.1:")
    port = int(url.rpartition(":")[2])
    with socket.socket() as other:
        # Another loopback address is free on the same port: the stand-in did not take all addresses.
        other.bind(("127.0.0.2", port))


def test_a_port_that_is_taken_ends_it_with_a_message(start: Start) -> None:
    with Standin() as standin:
        port = standin.url.rpartition(":")[2]
        process = start("--port", port)
        _, errors = process.communicate()
    assert process.returncode == 1
    assert f"Port {port} is in use" in errors

"""The stand-in as its own process."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local.environment import caller_environment
from local.standin import StandinControl
from tests.support.checkout import ROOT

COMMAND = [sys.executable, "-m", "local.standin", "--port"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    env, pipe, port_file = caller_environment(""), subprocess.PIPE, tmp_path / "url"
    command = [*COMMAND, "0", "--port-file", str(port_file)]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert port_file.read_text() == url
            control = StandinControl(url)
            assert control.accepts(control.grant().access_token)
            assert control.state()["pid"] == process.pid
            host, _, port = url.removeprefix("http://").partition(":")
            assert host == "127.0.0.1"
            with socket.socket() as other:
                # The same port is free on another loopback address: the stand-in does not listen on all addresses.
                other.bind(("127.0.0.2", int(port)))
            second = subprocess.run([*COMMAND, port], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
            assert (second.returncode, f"Port {port} is in use" in second.stderr) == (1, True)
            process.send_signal(number)
            _, errors = process.communicate()
            assert (process.returncode, errors) == (0, "")
        finally:
            process.kill()

"""The real Lambda runtime around a built asset: AWS's Runtime Interface Emulator and awslambdaric."""

import json
import os
import platform
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RIE = Path(f"{sys.prefix}-rie")
"""Beside the virtual environment, since awslambdaric is compiled for one version of Python."""
HANDLER = "refresh_token.handler.lambda_handler"
PYTHON = str(Path(sys.base_exec_prefix, "bin", f"python3.{sys.version_info.minor}"))

_STARTING = threading.BoundedSemaphore(2)


@dataclass(frozen=True)
class Runtime:
    port: int
    log_file: Path
    pid: int
    """The emulator's; its only child is the function."""

    def invoke(self, event: object) -> Any:
        return self.invoke_raw(json.dumps(event).encode())

    def invoke_raw(self, body: bytes) -> Any:
        url = f"http://127.0.0.1:{self.port}/2015-03-31/functions/function/invocations"
        with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=120) as answer:
            return json.load(answer)

    def warm_up(self) -> None:
        """Start the function with a wrong request: the emulator counts a cold start as part of the first one's time.

        Only two start at a time: a dozen at once would outlast their timeouts on a busy machine.
        """
        with _STARTING:
            assert self.invoke({"provider": "nobody"})["errorType"] == "InvalidParameterException"

    def kill(self) -> None:
        """End the function with SIGKILL, as a crash or Lambda itself does. The next invocation starts it again."""
        listed = subprocess.run(["/bin/ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
        for pid, parent in (map(int, line.split()) for line in listed.stdout.splitlines()):
            if parent == self.pid:
                os.kill(pid, signal.SIGKILL)

    def log(self) -> str:
        return self.log_file.read_text()


@contextmanager
def running(
    asset: Path, environment: Mapping[str, str], log_file: Path, *, handler: str = HANDLER
) -> Iterator[Runtime]:
    """Run a built asset as Lambda does: its folder as the task root, no package but its own, its environment."""
    arch = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
    inside = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(log_file.parent),
        "PYTHONPATH": str(RIE),
        "PYTHONDONTWRITEBYTECODE": "1",  # Lambda's file system is read-only
        "LAMBDA_TASK_ROOT": str(asset),
        "_HANDLER": handler,
        "AWS_LAMBDA_FUNCTION_NAME": "refresh-token",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "60",
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
        **environment,
    }
    with _own_port() as port, _own_port() as api_port, log_file.open("w") as log:
        command = [
            str(RIE / "samcli" / "local" / "rapid" / f"aws-lambda-rie-{arch}"),
            *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
            *("--runtime-api-address", f"127.0.0.1:{api_port}", "--log-level", "info"),
            *(PYTHON, "-S", "-m", "awslambdaric", handler),  # no site packages (-S): the asset must bring all it needs
        ]
        process = subprocess.Popen(
            command, cwd=asset, env=inside, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            _wait_for(port, process, log_file)
            yield Runtime(port, log_file, process.pid)
        finally:
            with suppress(ProcessLookupError):  # it did not come up
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def _own_port() -> Iterator[int]:
    """Give a port that nobody else is given until the block ends, to one program that listens on it.

    Two sockets may be bound to a port if one of them does not listen, so this one holds it. A free port that nobody
    holds can be given to two emulators that start at the same time. One of them then ends, and the invocations of both
    reach the other, which two first invocations at once break.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def _wait_for(port: int, process: subprocess.Popen[bytes], log_file: Path) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError(f"The Runtime Interface Emulator did not come up:\n{log_file.read_text()}")

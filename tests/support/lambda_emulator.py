"""The real Lambda runtime around a built asset: AWS's Runtime Interface Emulator and awslambdaric."""

import json
import os
import platform
import secrets
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
    while True:
        port, api_port = _free_ports(2)
        command = [
            str(RIE / "samcli" / "local" / "rapid" / f"aws-lambda-rie-{arch}"),
            *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
            *("--runtime-api-address", f"127.0.0.1:{api_port}", "--log-level", "info"),
            *(PYTHON, "-S", "-m", "awslambdaric", handler),  # no site packages (-S): the asset must bring all it needs
        ]
        with log_file.open("w") as log:
            process = subprocess.Popen(
                command, cwd=asset, env=inside, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
            try:
                if _comes_up(port, process, log_file):
                    yield Runtime(port, log_file, process.pid)
                    return
            finally:
                with suppress(ProcessLookupError):  # it did not come up
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _free_ports(count: int) -> list[int]:
    """Return ports below those that the system gives out, so that nobody gets one before the emulator takes it."""
    found: list[int] = []
    while len(found) < count:
        port = secrets.choice(range(15_000, 32_000))  # Hypothesis seeds `random` while its tests run
        with socket.socket() as probe:
            if port not in found and probe.connect_ex(("127.0.0.1", port)) != 0:
                found.append(port)
    return found


def _comes_up(port: int, process: subprocess.Popen[bytes], log_file: Path) -> bool:
    """Wait for the emulator. Return False if somebody else has taken one of its ports in the meantime."""
    for _ in range(600):
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0 and process.poll() is None:
                return True
        time.sleep(0.05)
    text = log_file.read_text()
    if "address already in use" in text:
        return False
    message = f"The Runtime Interface Emulator did not come up:\n{text}"
    raise RuntimeError(message)

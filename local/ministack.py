"""Runs MiniStack, the embedded local AWS, as a child process on a free port."""

import http.client
import json
import secrets
import shutil
import socket
import sys
import time
from pathlib import Path
from typing import Self

from local import environment
from local.child import Child, tail

PYTHON = Path(f"{sys.prefix}-ministack", "bin", "python")
"""MiniStack has its own virtual environment beside ours, because it pins botocore."""

START = Path(__file__).with_name("ministack_start.py")

READY_SECONDS = 60.0
PORT_ATTEMPTS = 5


class MiniStackError(RuntimeError):
    """MiniStack is not installed or did not start."""


class MiniStack:
    """A running MiniStack: `with MiniStack.start(folder) as ministack: ministack.url`.

    Its log is `folder/ministack.log`. Everything else that it writes goes below `folder/ministack`, which is removed
    when it stops.
    """

    def __init__(self, child: Child, port: int, folder: Path) -> None:
        self.child, self.port, self._folder = child, port, folder

    @property
    def url(self) -> str:
        """The endpoint. Its host is a name because the CDK CLI addresses asset buckets by path only on `localhost`."""
        return f"http://localhost:{self.port}"

    @classmethod
    def start(
        cls,
        folder: Path,
        *,
        port: int | None = None,
        python: Path = PYTHON,
        keep: bool = False,
        enforce_iam: bool = False,
    ) -> Self:
        """Start it on `port`, or on a free port if that one is taken or not given, and wait until it answers.

        With `enforce_iam` it checks signatures and policies. The keys of `aws_variables` are the root user's.

        Raises `MiniStackError` if it is not installed, or ends before it answers (with the end of its log).
        """
        if not python.exists():
            raise MiniStackError(f"MiniStack is not installed: {python} does not exist. Run `make setup` first.")
        folder = folder.resolve()
        scratch = folder / "ministack"
        scratch.mkdir(parents=True, exist_ok=True)
        log = folder / "ministack.log"
        for attempt in range(PORT_ATTEMPTS):
            choice = port if port and attempt == 0 else _free_port()
            nonce = secrets.token_hex(8)
            env = environment.emulator_environment(scratch) | _settings(choice, nonce, enforce_iam=enforce_iam)
            child = Child([python, "-I", START], env=env, log=log, keep=keep)
            try:
                if _answers(child, choice, nonce):
                    return cls(child, choice, scratch)
            except BaseException:
                child.stop()
                raise
            child.stop()
            # MiniStack says so after its own check, the system if another process took the port after the check.
            if "already in use" not in log.read_text(errors="replace"):
                break
        raise MiniStackError(f"MiniStack did not start. The end of {log}:\n{tail(log)}")

    def stop(self) -> None:
        """Stop it and the functions that it runs, and remove their files."""
        self.child.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _settings(port: int, nonce: str, *, enforce_iam: bool) -> dict[str, str]:
    return {
        "AUTH": str(enforce_iam).lower(),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        # The health page reports it, which proves that this child answers and not another process on the same port.
        "MINISTACK_EDITION": nonce,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }


def _answers(child: Child, port: int, nonce: str) -> bool:
    """Wait until the child answers. Return False if it ends instead."""
    deadline = time.monotonic() + READY_SECONDS
    while child.alive() and time.monotonic() < deadline:
        if _edition(port) == nonce:
            return True
        time.sleep(0.1)
    return False


def _edition(port: int) -> str | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/_ministack/health")
        members = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return members.get("edition") if isinstance(members, dict) else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

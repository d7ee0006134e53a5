"""An operator at a terminal, and AWS services that answer as a test wants."""

import json
import os
import pty
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

from local.deployment import TOKENCTL
from tests.support import own_process

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Done:
    """How a command line ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def line(self, check: str) -> str:
        """Return the doctor's line about a check."""
        found = [line for line in self.out.splitlines() if line[6:].startswith(f"{check} ")]
        assert len(found) == 1, self.out
        return found[0]


class Tokenctl(Protocol):
    """Run a command in this process, on the stage `local`, with a standard input that is no terminal."""

    def __call__(self, *words: str, stdin: str | bytes = "") -> Done: ...


def environment(env: Mapping[str, str]) -> dict[str, str]:
    return {**env, **own_process.environment(), "COLUMNS": "120"}


def on_terminal(
    env: Mapping[str, str],
    *words: str,
    dialogue: Sequence[tuple[str, str | signal.Signals | Callable[[str], object]]] = (),
) -> Done:
    """Run a command on a terminal of its own.

    For each sight in the dialogue type the answer, send the signal, or call what wants to know all that was seen.
    """
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*TOKENCTL, *words],
        env=environment(env),
        cwd=ROOT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    seen, waiting = "", list(dialogue)
    read_to = 0
    while chunk := _read(ours):
        seen += chunk
        while waiting and (found := seen.find(waiting[0][0], read_to)) >= 0:
            read_to = found + len(waiting[0][0])
            answer = waiting.pop(0)[1]
            if isinstance(answer, signal.Signals):
                process.send_signal(answer)
            elif callable(answer):
                answer(seen)
            else:
                os.write(ours, f"{answer}\n".encode())
    code = process.wait()
    os.close(ours)
    assert not waiting, f"never saw {waiting[0][0]!r} in:\n{seen}"
    return Done(code, seen, "")


def _read(terminal: int) -> str:
    try:
        return os.read(terminal, 65536).decode(errors="replace")
    except OSError:  # Linux says so when the other end is closed
        return ""


@contextmanager
def answering(status: int, body: str, headers: Mapping[str, str] | None = None) -> Iterator[str]:
    """Serve one answer to everything; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body.encode())), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_POST  # noqa: N815 - http.server's name

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

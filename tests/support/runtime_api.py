"""Lambda's side of a runtime: its Runtime API and its X-Ray daemon, which keep all that a function hands over.

The emulator forwards only some of it. Here nothing is lost: the headers of what awslambdaric posts, among them the
cause that Lambda puts into a failed invocation's segment, and the segments that a function sends by itself.
"""

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from tests.support.lambda_emulator import RUNTIME, Invoked, task_environment

CAUSE = "lambda-runtime-function-xray-error-cause"
TRACE_ID = "Root=1-6a5f1c00-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=1"
PATIENCE = 60
"""Seconds that an invocation is waited for."""


@dataclass(frozen=True)
class Post:
    """What the runtime handed over after an invocation, or a failed start."""

    headers: Mapping[str, str]
    body: bytes


@dataclass
class Observed(Invoked):
    """A function that runs, and what it has handed over."""

    log_file: Path
    events: SimpleQueue[bytes] = field(default_factory=SimpleQueue)
    answers: SimpleQueue[Post] = field(default_factory=SimpleQueue)
    posts: list[Post] = field(default_factory=list)
    segments: list[bytes] = field(default_factory=list)
    """Datagrams that came to the X-Ray daemon's port."""

    def invoke_raw(self, body: bytes) -> Any:
        self.events.put(body)
        return json.loads(self.answers.get(timeout=PATIENCE).body)


class _Api(BaseHTTPRequestHandler):
    """The Runtime API (Lambda Developer Guide, "Using the Lambda runtime API")."""

    observed: Observed
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Hand out the next event."""
        event = self.observed.events.get()
        self.send_response(200)
        for name, value in {
            "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1000) + 60_000),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:123456789012:function:refresh-token",
            "Lambda-Runtime-Trace-Id": TRACE_ID,
            "Content-Type": "application/json",
            "Content-Length": str(len(event)),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(event)

    def do_POST(self) -> None:
        """Take an answer or an error."""
        post = Post({name.lower(): value for name, value in self.headers.items()}, self._body())
        self.observed.posts.append(post)
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.observed.answers.put(post)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def _daemon(segments: list[bytes]) -> Iterator[str]:
    """Listen to segments as the X-Ray daemon does; yield its address."""
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))

        def listen() -> None:
            segments.extend(iter(lambda: udp.recv(65_536), b"stop"))

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield "{}:{}".format(*udp.getsockname())
        finally:
            udp.sendto(b"stop", udp.getsockname())  # behind whatever the function has sent
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing: a function that is ended hangs up."""


@contextmanager
def observed(asset: Path, environment: Mapping[str, str], log_file: Path) -> Iterator[Observed]:
    """Run a built asset under awslambdaric; what it hands over is complete when the block has ended."""
    watched = Observed(log_file)
    handler = type("Api", (_Api,), {"observed": watched})
    with (
        _Server(("127.0.0.1", 0), handler) as api,
        _daemon(watched.segments) as daemon,
        log_file.open("w") as log,
    ):
        threading.Thread(target=api.serve_forever, daemon=True).start()
        inside = {
            **task_environment(asset, log_file.parent),
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_port}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_LOG_GROUP_NAME": "logs",
            "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
            "AWS_XRAY_DAEMON_ADDRESS": daemon,
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            **environment,
        }
        process = subprocess.Popen(
            RUNTIME, cwd=asset, env=inside, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            yield watched
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            watched.events.put(b"null")  # for the request that still waits for an event
            api.shutdown()

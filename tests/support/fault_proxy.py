"""A proxy between the function and its services that counts calls, holds them back, and makes them fail.

A call is one call of a boto3 method; its retries belong to the same call and meet the same fault. Only the function's
endpoint settings lead here.
"""

import json
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import urllib3
from werkzeug.wrappers import Request, Response

from local.cloud import LocalCloud
from tests.support import oauth2_server
from tests.support.canaries import ECHO
from tests.support.http_server import App, serving

ISSUER_PATHS = ("/tokens/figma/refresh", "/v1/oauth/refresh", oauth2_server.PATH)
ISSUER_CALL = "RefreshToken"
PATIENCE = 60.0
"""Seconds to wait for something that comes soon on any machine that is not stuck."""


@dataclass(frozen=True, kw_only=True)
class Strike:
    """How a call fails. Without a status the proxy drops the connection."""

    status: int | None = None
    code: str = ""
    lost: bool = False
    """The service acts, and only its first answer is lost."""
    silent: bool = False
    """The service takes the call and never answers."""
    drips: bool = False
    """The service does not act, and answers byte by byte."""
    late: float = 0.0
    """The service acts, and answers after this many seconds."""

    def answer(self) -> Response:
        """Return an error in AWS's JSON protocol that names secrets, or without a code a page such as a proxy sends."""
        if not self.code:
            return Response("<h1>Bad gateway</h1>", self.status, content_type="text/html")
        body = json.dumps({"__type": self.code, "message": ECHO})
        return Response(body, self.status, content_type="application/x-amz-json-1.1")


@dataclass
class Hold:
    """Holds a call on its way to the service, or its answer on the way back."""

    answered: bool = False
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    dropped: bool = False
    attempts: int = 0

    def wait(self) -> None:
        """Wait until the call, or its answer, is held. Raises `TimeoutError` if it does not come."""
        if not self.reached.wait(PATIENCE):
            raise TimeoutError("The call to be held did not come")

    def release(self) -> None:
        self.released.set()

    def drop(self) -> None:
        self.dropped = True
        self.released.set()

    def pass_through(self, request: Request) -> None:
        """Keep a caller waiting; hang up if the call was cut off, or if the caller has retried meanwhile."""
        self.attempts += 1
        attempt = self.attempts
        self.reached.set()
        self.released.wait()
        if self.dropped or attempt != self.attempts:
            raise _hung_up(request)


class FaultProxy(App):
    def __init__(self, aws: str, issuer: str) -> None:
        self.url = ""
        self._aws, self._issuer = aws, issuer
        self._pool = urllib3.PoolManager(maxsize=64, retries=False)
        self._changed = threading.Condition()
        self._calls: dict[str, tuple[str, int]] = {}
        self._attempts = 0
        self._plans: dict[tuple[str, int], Hold | Strike] = {}
        self._silence = threading.Event()

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ENDPOINT_URL_AMPLIFYUIBUILDER": self.url,
            "FIGMA_BASE_URL": self.url,
            "OAUTH2_TOKEN_URL": f"{self.url}{oauth2_server.PATH}",
            "ALLOW_HTTP_ISSUER": "true",
        }

    @property
    def calls(self) -> list[str]:
        with self._changed:
            return [operation for operation, _ in self._calls.values()]

    @property
    def attempts(self) -> int:
        """The requests since the last `forget`, retries included."""
        return self._attempts

    def forget(self) -> None:
        with self._changed:
            self._calls.clear()
            self._plans.clear()
            self._attempts = 0
            self._silence.set()
            self._silence = threading.Event()

    def hold(self, operation: str, nth: int = 1, *, answered: bool = False) -> Hold:
        hold = Hold(answered)
        self._plans[operation, nth] = hold
        return hold

    def strike(self, operation: str, strike: Strike, *, nth: int = 0) -> None:
        """Make the nth call of an operation fail (0: every call)."""
        self._plans[operation, nth] = strike

    def wait_for(self, operation: str, count: int) -> None:
        """Wait for this many calls of an operation. Raises `TimeoutError` if they do not come."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.calls.count(operation) >= count, PATIENCE):
                raise TimeoutError(f"only {self.calls.count(operation)} of {count} calls of {operation} came")

    def respond(self, request: Request) -> Response:
        body = request.get_data()
        operation, nth, first_attempt = self._arrived(request)
        plan = self._plans.get((operation, nth)) or self._plans.get((operation, 0))
        if isinstance(plan, Hold) and not plan.answered:
            plan.pass_through(request)
        if isinstance(plan, Strike) and plan.status is not None:
            return plan.answer()
        if isinstance(plan, Strike) and plan.drips:
            return Response(_drops(), 500, {"Content-Length": "4000"})
        if isinstance(plan, Strike) and plan.late:
            answer = self._forward(request, body)
            self._silence.wait(plan.late)
            return answer
        if isinstance(plan, Strike) and not plan.lost:
            if plan.silent:
                self._silence.wait(PATIENCE)
            raise _hung_up(request)
        answer = self._forward(request, body)
        if isinstance(plan, Hold) and plan.answered:
            plan.pass_through(request)
        if isinstance(plan, Strike) and first_attempt:
            raise _hung_up(request)
        return answer

    def _arrived(self, request: Request) -> tuple[str, int, bool]:
        """Return the operation, its number among the calls of that operation, and whether this is the first attempt."""
        target = request.headers.get("X-Amz-Target", "")
        operation = ISSUER_CALL if request.path in ISSUER_PATHS else target.rpartition(".")[2]
        call_id = request.headers.get("amz-sdk-invocation-id") or str(uuid.uuid4())
        with self._changed:
            self._attempts += 1
            first_attempt = call_id not in self._calls
            if first_attempt:
                nth = sum(name == operation for name, _ in self._calls.values()) + 1
                self._calls[call_id] = operation, nth
            self._changed.notify_all()
            return *self._calls[call_id], first_attempt

    def _forward(self, request: Request, body: bytes) -> Response:
        base = self._issuer if request.path in ISSUER_PATHS else self._aws
        own = {"host", "connection", "content-length", "transfer-encoding", "accept-encoding"}
        headers = {name: value for name, value in request.headers.items() if name.lower() not in own}
        got = self._pool.request(request.method, f"{base}{request.path}", body=body, headers=headers)
        kept = {name: value for name, value in got.headers.items() if name.lower() not in own | {"date", "server"}}
        return Response(got.data, got.status, kept)

    def close(self) -> None:
        self._silence.set()
        for plan in list(self._plans.values()):
            if isinstance(plan, Hold) and not plan.released.is_set():
                plan.drop()
        self._pool.clear()


def _drops() -> Iterator[bytes]:
    for _ in range(4000):
        time.sleep(0.5)
        yield b" "


def _hung_up(request: Request) -> ConnectionAbortedError:
    request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return ConnectionAbortedError()  # for werkzeug the caller went away


@contextmanager
def fault_proxy(cloud: LocalCloud, issuer: str | None = None) -> Iterator[FaultProxy]:
    """Put a proxy in front of a cloud, and of its stand-in or another issuer, until the block ends."""
    proxy = FaultProxy(cloud.url, issuer or cloud.standin.url)
    with serving(proxy) as proxy.url:
        try:
            yield proxy
        finally:
            proxy.close()

"""A local HTTP server instead of Amplify UI Builder: it answers as a test says, and records the requests."""

import json
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from tests.support.http_server import serving

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LIFETIME = 7_776_000


@dataclass
class Reply:
    """What the server does with a request: answer, perhaps after a while, or hang up."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    hang_up: bool = False
    raw: bytes = b""
    """Sent instead of the answer, as it is, even if it is not HTTP; then the server hangs up."""


def good(**keys: object) -> Reply:
    """Return the answer to a successful refresh. `keys` replace or extend its keys; None removes one."""
    answer = {"accessToken": "access-issued", "expiresIn": LIFETIME, **keys}
    return Reply(body=json.dumps({key: value for key, value in answer.items() if value is not None}).encode())


def refusal(status: int, code: str = "", message: str = "No.") -> Reply:
    """Return an error as AWS's REST-JSON services send it."""
    headers = {"x-amzn-ErrorType": code} if code else {}
    return Reply(status=status, body=json.dumps({"message": message}).encode(), headers=headers)


@dataclass
class Seen:
    """A request as it came over the wire."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> object:
        return json.loads(self.body)


@dataclass
class UiBuilderServer:
    """Sends `replies` in order, then repeats the last one."""

    replies: list[Reply] = field(default_factory=lambda: [good()])
    seen: list[Seen] = field(default_factory=list)
    url: str = ""
    closing: threading.Event = field(default_factory=threading.Event)

    def answer(self, *replies: Reply) -> None:
        self.replies = list(replies)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        self.seen.append(Seen(request.method, request.path, dict(request.headers), request.get_data()))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        self.closing.wait(reply.seconds)
        if reply.raw:
            environ["werkzeug.socket"].sendall(reply.raw)
        if reply.raw or reply.hang_up:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        headers = {"Content-Type": "application/json", **reply.headers}
        return Response(reply.body, reply.status, headers)(environ, start_response)


@contextmanager
def ui_builder_server() -> Iterator[UiBuilderServer]:
    """Serve on a free port until the block ends."""
    app = UiBuilderServer()
    with serving(app) as app.url:
        try:
            yield app
        finally:
            app.closing.set()

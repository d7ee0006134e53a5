"""A WSGI app, or one fixed answer, behind a real socket, for one block."""

import socket
import ssl
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class _Quiet(WSGIRequestHandler):
    def log(self, *_: object, **__: object) -> None:
        """Say nothing: a test shows what it needs."""


class App:
    def respond(self, request: Request) -> Response:
        raise NotImplementedError

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        return self.respond(Request(environ))(environ, start_response)


@contextmanager
def serving(app: "WSGIApplication", tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve on a free port until the block ends; the block is given the URL."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet, ssl_context=tls)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"https://localhost:{server.port}" if tls else f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def answering(status: int, body: str, headers: Mapping[str, str] | None = None) -> AbstractContextManager[str]:
    return serving(Response(body, status, dict(headers or {})))


@contextmanager
def hanging() -> Iterator[str]:
    """Accept connections until the block ends, and never answer; the block is given the URL."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"

"""Runs the stand-in in this process, on werkzeug's threaded server."""

import threading
from typing import Self

from werkzeug.serving import WSGIRequestHandler, make_server

from local.standin.app import StandinApp
from local.standin.control import StandinControl

HOST = "127.0.0.1"


class _QuietHandler(WSGIRequestHandler):
    """Logs no requests, because their paths hold codes."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""


class Standin(StandinControl):
    """A running stand-in: `with Standin() as standin: standin.url`. It listens on the loopback address only."""

    def __init__(self, port: int = 0) -> None:
        self._app = StandinApp()
        self._server = make_server(HOST, port, self._app, threaded=True, request_handler=_QuietHandler)
        super().__init__(f"http://{HOST}:{self._server.port}")
        self._thread = threading.Thread(target=self.serve, name="standin", daemon=True)

    def serve(self) -> None:
        """Serve until `stop` is called from another thread."""
        self._server.serve_forever(poll_interval=0.05)

    def start(self) -> Self:
        """Serve from a new thread."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving, and disconnect callers that wait for a delayed answer."""
        self._app.state.stopping.set()
        self._server.shutdown()
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

"""The loopback port that the redirect comes to (RFC 8252, 7.3), on werkzeug's threaded server."""

import os
import socket
import threading
from typing import Final, Self

from werkzeug.serving import WSGIRequestHandler, make_server

from tokenctl.errors import ConfigurationError
from tokenctl.sign_in import pages
from tokenctl.sign_in.reception import Reception

HOST: Final = "127.0.0.1"
POLL_SECONDS: Final = 0.05


class _Handler(WSGIRequestHandler):
    """Logs nothing: the paths hold codes. Hangs up on who connects and says nothing, as browsers do in advance."""

    timeout = 10
    server_version = "tokenctl"
    sys_version = ""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing."""


class Loopback:
    """A port of 127.0.0.1, taken when this is made: `with Loopback(0).serving(state) as reception`."""

    def __init__(self, port: int) -> None:
        """Take the port, 0 for any free one. Raises ConfigurationError when it cannot be had."""
        try:
            self._socket = socket.create_server((HOST, port))
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise ConfigurationError(
                f"Port {port} of {HOST} cannot be used: {reason}. Nothing was opened and nothing stored. End the "
                "program that holds it, or give another --port; that one must be registered with the app, too."
            ) from None
        self.port: int = self._socket.getsockname()[1]

    def serving(self, state: str) -> "Serving":
        """Serve a reception for the answer to `state`, for one block."""
        return Serving(self._socket, Reception(state=state, port=self.port))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()


class Serving:
    """Serves a reception in the background."""

    def __init__(self, listening: socket.socket, reception: Reception) -> None:
        self._reception = reception
        port = listening.getsockname()[1]
        self._server = make_server(
            HOST, port, reception, threaded=True, request_handler=_Handler, fd=listening.fileno()
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(POLL_SECONDS,), name="loopback", daemon=True
        )

    def __enter__(self) -> Reception:
        self._thread.start()
        return self._reception

    def __exit__(self, *_: object) -> None:
        """Let a browser that still waits go, then stop."""
        self._reception.answer(pages.ENDED)
        self._server.shutdown()
        self._thread.join()

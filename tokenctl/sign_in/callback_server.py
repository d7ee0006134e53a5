"""The HTTP server at the redirect address, on the loopback interface (RFC 8252, 7.3). It uses werkzeug's server."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Self

from werkzeug.serving import WSGIRequestHandler, make_server

from tokenctl.errors import ConfigurationError
from tokenctl.sign_in import pages
from tokenctl.sign_in.callback_app import CallbackApp, Read

HOST: Final = "127.0.0.1"
POLL_SECONDS: Final = 0.05


class _Handler(WSGIRequestHandler):
    """Logs nothing, because the paths hold codes; closes idle connections, which browsers open in advance."""

    timeout = 10
    server_version = "tokenctl"
    sys_version = ""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Log nothing."""


class CallbackServer:
    """A port of 127.0.0.1: `with CallbackServer(0) as server, server.serving(request.read) as app`."""

    def __init__(self, port: int) -> None:
        """Reserve the port, or any free one for 0; raises ConfigurationError if it is not available."""
        try:
            self._socket = socket.create_server((HOST, port))
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise ConfigurationError(
                f"Port {port} of {HOST} cannot be used: {reason}. Nothing was opened and nothing was stored. Stop the "
                "program that uses it, or give another --port, which must be registered with the app as well."
            ) from None
        self.port: int = self._socket.getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    @contextmanager
    def serving(self, read: Read) -> Iterator[CallbackApp]:
        """Serve, in the background, the application that waits for the response which `read` accepts."""
        app = CallbackApp(read=read, port=self.port)
        server = make_server(HOST, self.port, app, threaded=True, request_handler=_Handler, fd=self._socket.fileno())
        thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), name="callback", daemon=True)
        thread.start()
        try:
            yield app
        finally:
            app.show(pages.ENDED)  # releases a browser that is still waiting
            server.shutdown()
            thread.join()

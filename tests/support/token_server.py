"""A token endpoint on bare sockets: it sends what a test says, even byte by byte, and records what it receives."""

import json
import socket
import ssl
import struct
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs

LIFETIME = 7_776_000


@dataclass(frozen=True)
class Reply:
    """What the server does with a request: wait, answer, then keep the connection or not."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes = b""
    """Sent instead of the answer, as it is, even if it is not HTTP."""
    pause: float = 0.0
    """Seconds between two bytes."""
    silent: float = 0.0
    """Seconds before the first."""
    hang_up: bool = False
    """Close the connection. Without `raw` the server sends nothing first."""
    reset: bool = False
    """Like `hang_up`, but with a TCP reset."""

    @property
    def wire(self) -> bytes:
        if self.raw or self.hang_up or self.reset:
            return self.raw
        lines = {"Content-Type": "application/json", "Content-Length": str(len(self.body)), **self.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return f"HTTP/1.1 {self.status} Whatever\r\n{head}\r\n".encode() + self.body


def http(status: int = 200, body: bytes = b"", **headers: str) -> Reply:
    """Return a complete answer. An underscore in the name of a header stands for a hyphen."""
    return Reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


def issued(**members: object) -> Reply:
    """Return the answer to a successful refresh. `members` replace or extend its members; None removes one."""
    return _document({"access_token": "access-issued", "token_type": "bearer", "expires_in": LIFETIME, **members})


def ui_builder_issued(**members: object) -> Reply:
    """Return the same as Amplify UI Builder sends it."""
    return _document({"accessToken": "access-issued", "expiresIn": LIFETIME, **members})


def _document(members: Mapping[str, object]) -> Reply:
    return Reply(body=json.dumps({key: value for key, value in members.items() if value is not None}).encode())


def ui_builder_error(status: int, code: str = "", message: str = "No.") -> Reply:
    """Return an error of AWS's REST-JSON services."""
    headers = {"x-amzn-ErrorType": code} if code else {}
    return Reply(status, json.dumps({"message": message}).encode(), headers)


def figma_error(status: int, message: str = "No.") -> Reply:
    return http(status, json.dumps({"error": True, "status": status, "message": message, "i18n": None}).encode())


def oauth_error(status: int, code: str, **headers: str) -> Reply:
    return http(status, json.dumps({"error": code, "error_description": "No."}).encode(), **headers)


@dataclass(frozen=True)
class Seen:
    line: str
    headers: dict[str, str]
    body: bytes
    connection: int
    """The number of the connection that it came on, counted from 1."""

    @property
    def document(self) -> object:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        fields = parse_qs(self.body.decode(), keep_blank_values=True, strict_parsing=True)
        assert all(len(values) == 1 for values in fields.values())
        return {name: value for name, (value,) in fields.items()}


def basic(headers: Mapping[str, str]) -> str:
    kind, _, encoded = headers["Authorization"].partition(" ")
    assert kind == "Basic"
    return b64decode(encoded).decode()


@dataclass
class TokenServer:
    """Sends `replies` in order, then repeats the last one."""

    host: str = "127.0.0.1"
    scheme: str = "http"
    port: int = 0
    replies: list[Reply] = field(default_factory=lambda: [issued()])
    seen: list[Seen] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"

    def answer(self, *replies: Reply) -> None:
        self.replies = list(replies)

    def serve(self, connection: socket.socket, number: int) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as stream:
            while line := stream.readline().decode().strip():
                headers: dict[str, str] = {}
                while header := stream.readline().decode().strip():
                    name, _, value = header.partition(": ")
                    headers[name] = value
                body = stream.read(int(headers.get("Content-Length", "0")))
                self.seen.append(Seen(line, headers, body, number))
                reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
                if not self.send(connection, reply):
                    return

    def send(self, connection: socket.socket, reply: Reply) -> bool:
        self.closing.wait(reply.silent)
        wire = reply.wire
        step = 1 if reply.pause else max(1, len(wire))
        for start in range(0, len(wire), step):
            connection.sendall(wire[start : start + step])
            self.closing.wait(reply.pause)
        if reply.reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif reply.hang_up:
            connection.shutdown(socket.SHUT_RDWR)
        return not (reply.reset or reply.hang_up)


@contextmanager
def token_server(*, certificate: Path | None = None, host: str | None = None) -> Iterator[TokenServer]:
    """Serve on a free port until the block ends; with a certificate, over TLS."""
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    served = TokenServer(host=host or ("localhost" if certificate else "127.0.0.1"))
    served.scheme = "https" if certificate else "http"
    with accepting(served.serve, context) as port:
        served.port = port
        try:
            yield served
        finally:
            served.closing.set()


@contextmanager
def accepting(serve: Callable[[socket.socket, int], None], context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve each connection in its own thread until the block ends; yields the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    open_ones: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def handle(connection: socket.socket, number: int) -> None:
        with suppress(OSError):
            if context:
                connection = context.wrap_socket(connection, server_side=True)
                open_ones.append(connection)
            serve(connection, number)
        connection.close()

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                open_ones.append(connection)
                thread = threading.Thread(target=handle, args=(connection, len(threads) + 1))
                threads.append(thread)
                thread.start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield listener.getsockname()[1]
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()
        for connection in open_ones:
            with suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        for thread in threads:
            thread.join()

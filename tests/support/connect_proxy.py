"""A proxy that opens tunnels (RFC 9110, 9.3.6), one for each connection."""

import socket
from collections.abc import Callable


def proxy(
    asked: list[str], answer: bytes | None = None, *, established: bytes = b"200 Connection established"
) -> Callable[[socket.socket, int], None]:
    """Return a handler that opens tunnels, and says so with `established`, or that sends `answer` instead."""

    def serve(client: socket.socket, _: int) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        asked.append(head.decode())
        if answer is not None:
            client.sendall(answer)
            return
        host, wanted = head.split()[1].decode().rsplit(":", 1)
        with socket.create_connection((host, int(wanted))) as server:
            client.sendall(b"HTTP/1.1 " + established + b"\r\n\r\n")
            client.settimeout(0.05)
            server.settimeout(0.05)
            while True:
                for one, other in ((client, server), (server, client)):
                    try:
                        piece = one.recv(65536)
                    except TimeoutError:
                        continue
                    if not piece:
                        return
                    other.sendall(piece)

    return serve

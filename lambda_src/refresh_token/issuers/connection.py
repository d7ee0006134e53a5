"""A connection to an issuer: one POST and its reply, within a time, and of a size, that the caller knows.

On http.client of the standard library. botocore has loaded it, so it costs no cold start, and Lambda patches it with
its runtime. It follows no redirect, repeats nothing, decompresses nothing and logs nothing; and it lets a response be
held to its time (`WholeResponse`), which urllib3's pools do not.
"""

import http.client
import select
import socket
import ssl
from base64 import b64encode
from dataclasses import dataclass, field
from http import HTTPStatus
from time import monotonic, time
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from refresh_token.errors import ConfigurationException
from refresh_token.whole_response import WholeResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECT_TIMEOUT: Final = 2.0
"""Seconds for one address, for a proxy's answer, and for the TLS handshake."""

READ_TIMEOUT: Final = 10.0
"""Seconds from sending the request to the last byte of its reply."""

MOST_BYTES: Final = 64 * 1024
"""A reply's body is a few hundred bytes long. More than this is not read."""

LONGEST_IDLE: Final = 30.0
"""Seconds after which a kept connection is not used again. Lambda freezes processes for hours, and what has closed the
connection meanwhile need not have told us."""

_HTTPS_PORT: Final = 443
_HTTP_PORT: Final = 80


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. ``body`` is None where it is too long or compressed, and so no answer to what was asked."""

    status: int
    body: bytes | None = field(repr=False)
    retry_after: str | None = field(default=None, repr=False)
    challenge: str | None = field(default=None, repr=False)
    """The header ``WWW-Authenticate``: the issuer does not take the client's credentials (RFC 6749, 5.2)."""


@dataclass(frozen=True, slots=True)
class Lost:
    """No reply. ``sent`` tells whether the issuer may have seen the request, and acted on it."""

    what: str
    sent: bool
    trusted: bool = True
    """False where the other side could not prove who it is."""


class Connection:
    """Keeps one connection to the server of ``url``, and makes it anew when need be."""

    def __init__(self, url: str, context: ssl.SSLContext | None) -> None:
        """Take the address; ``context`` is None for http."""
        self._url = urlsplit(url)
        self._context = context
        self._kept: tuple[http.client.HTTPConnection, float] | None = None

    def __del__(self) -> None:
        if self._kept is not None:
            self._kept[0].close()

    def post(self, body: bytes, headers: "Mapping[str, str]", *, seconds: float, least: float) -> Reply | Lost:
        """Send a request and return its reply, within ``seconds``; only resolving the server's name may take longer.

        Nothing is sent with fewer than ``least`` of them left.

        Raises:
            ConfigurationException: HTTPS_PROXY names no proxy that can be used.

        """
        ends = monotonic() + seconds
        connection = self._reused() or self._connected(ends)
        if isinstance(connection, Lost):
            return connection
        left = min(READ_TIMEOUT, ends - monotonic())
        if left < least:
            connection.close()
            return Lost("no time left", sent=False)
        return self._exchange(connection, body, headers, left)

    def _exchange(
        self, connection: http.client.HTTPConnection, body: bytes, headers: "Mapping[str, str]", seconds: float
    ) -> Reply | Lost:
        path = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
        connection.sock.settimeout(seconds)
        response: http.client.HTTPResponse | None = None
        try:
            connection.request("POST", path, body, dict(headers))
            response = connection.getresponse()
            reply = _read(response)
        except Exception as error:  # noqa: BLE001 - whatever it is, it may hold the request or the reply
            reply = Lost(_name(error), sent=True)
        if response and not response.will_close and isinstance(reply, Reply) and reply.body is not None:
            self._kept = connection, time()
            return reply
        if response:
            response.close()  # http.client leaves the socket to it where the connection shall not be kept
        connection.close()
        return reply

    def _reused(self) -> http.client.HTTPConnection | None:
        """Return the kept connection, if it is young and the server has neither closed it nor sent anything."""
        kept, self._kept = self._kept, None
        if kept is None:
            return None
        connection, used_at = kept
        readable = select.poll()
        readable.register(connection.sock, select.POLLIN)
        if 0 <= time() - used_at < LONGEST_IDLE and not readable.poll(0):
            return connection
        connection.close()
        return None

    def _connected(self, ends: float) -> http.client.HTTPConnection | Lost:
        host = str(self._url.hostname)
        port = self._url.port or (_HTTP_PORT if self._context is None else _HTTPS_PORT)
        try:
            proxy = None if self._context is None else _proxy_for(host)
            sock = _dial(proxy.hostname or "", proxy.port or _HTTP_PORT, ends) if proxy else _dial(host, port, ends)
            try:
                if proxy:
                    _tunnel(sock, f"[{host}]:{port}" if ":" in host else f"{host}:{port}", proxy)
                if self._context is not None:
                    sock.settimeout(_allowance(ends))
                    sock = self._context.wrap_socket(sock, server_hostname=host)
            except BaseException:
                sock.close()
                raise
        except ssl.SSLCertVerificationError:
            return Lost("its certificate is not accepted", sent=False, trusted=False)
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Lost(_name(error), sent=False)
        connection = http.client.HTTPConnection(host, port)
        connection.response_class = WholeResponse
        connection.sock = sock
        return connection


def _read(response: http.client.HTTPResponse) -> Reply | Lost:
    """Read a response, unless it is too long; one that was cut short is lost."""
    body: bytes | None = None
    if response.length is None or response.length <= MOST_BYTES:
        body = response.read(MOST_BYTES + 1)
        if len(body) > MOST_BYTES:
            body = None
        elif response.length:
            return Lost("its answer was cut off", sent=True)
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        body = None
    return Reply(
        response.status,
        body,
        retry_after=response.headers.get("Retry-After"),
        challenge=response.headers.get("WWW-Authenticate"),
    )


def _allowance(ends: float) -> float:
    """Return the seconds for one step of connecting. Raises TimeoutError when none are left."""
    left = ends - monotonic()
    if left <= 0:
        raise TimeoutError
    return min(CONNECT_TIMEOUT, left)


def _dial(host: str, port: int, ends: float) -> socket.socket:
    """Connect to the first address of a host that answers. Raises OSError: none does, or the time is over."""
    fault: OSError | None = None
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(_allowance(ends))
            sock.connect(address)
        except OSError as error:
            sock.close()
            fault = error
        else:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
    raise fault or TimeoutError


def _proxy_for(host: str) -> SplitResult | None:
    """Return the proxy that HTTPS_PROXY and NO_PROXY name for a host, None for none."""
    address = None if proxy_bypass(host) else getproxies().get("https")
    if not address:
        return None
    try:
        proxy = urlsplit(address if "://" in address else f"http://{address}")
        usable = proxy.scheme == "http" and bool(proxy.hostname) and proxy.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationException(
            "The function's environment is wrong: HTTPS_PROXY must be an address with http, as of a proxy that makes "
            "tunnels. Deploy the stack again to set it."
        )
    return proxy


def _tunnel(sock: socket.socket, authority: str, proxy: SplitResult) -> None:
    """Ask a proxy for a connection to the issuer (RFC 9110, 9.3.6). Raises OSError: it makes none."""
    head = f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n"
    if proxy.username is not None:
        login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
        head += f"Proxy-Authorization: Basic {b64encode(login.encode()).decode()}\r\n"
    sock.sendall(f"{head}\r\n".encode())
    response = WholeResponse(sock, method="CONNECT")
    response.begin()
    response.close()
    if response.status != HTTPStatus.OK:
        raise ConnectionRefusedError


def _name(error: Exception) -> str:
    """Return what an exception is called; its text may hold what was sent."""
    return "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__

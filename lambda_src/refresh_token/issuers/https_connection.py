"""One connection to an issuer: sends a request and returns the reply, bounded in time and in size.

It uses the standard library's http.client: botocore has loaded it, so it costs no cold start, and AWS patches it
with the runtime. It follows no redirect, repeats nothing and logs nothing. It also lets us bound the
time of an entire response (`WholeResponse`), which urllib3's pools do not.
"""

import http.client
import select
import ssl
from dataclasses import dataclass, field
from time import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from refresh_token.adapters.whole_response import WholeResponse
from refresh_token.issuers.dialling import dial, dial_through_proxy, step_timeout
from refresh_token.oauth.addresses import authority
from refresh_token.oauth.body import json_members
from refresh_token.oauth.content_coding import decoded
from refresh_token.oauth.responses import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from refresh_token.adapters.deadline import Deadline

READ_TIMEOUT: Final = 10.0
"""Seconds from sending the request to the last byte of its reply."""

MAX_IDLE: Final = 30.0
"""Seconds after which a kept connection is not used again. Lambda freezes processes for hours; the other side may close
the connection in the meantime without our noticing."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. `body` is None if it is too long."""

    status: int
    body: bytes | None = field(repr=False)
    retry_after: str | None = field(default=None, repr=False)
    challenge: str = field(default="", repr=False)
    """The headers ``WWW-Authenticate``, with commas between them."""

    content_type: str | None = field(default=None, repr=False, compare=False)
    reusable: bool = field(default=False, compare=False)
    """Whether the connection can carry another request."""


@dataclass(frozen=True, slots=True)
class NoReply:
    """No reply came. `sent` tells whether the issuer may have received the request and acted on it."""

    what: str
    sent: bool
    trusted: bool = True
    """False if the server could not prove who it is."""


class HttpsConnection:
    """Keeps one connection to the server of `url`, and opens a new one when needed."""

    def __init__(self, url: str, context: ssl.SSLContext | None) -> None:
        """Take the address; `context` is None for http, which only a local cloud has."""
        self._url = urlsplit(url)
        # http.client would take port 80 for the default, because its connection is not an HTTPSConnection.
        self._host = authority(url)
        self._context = context
        self._kept: tuple[http.client.HTTPConnection, float] | None = None

    def __del__(self) -> None:
        if self._kept is not None:
            self._kept[0].close()

    def send(  # noqa: PLR0913 - the parts of a request
        self,
        method: str,
        target: str,
        body: bytes | None,
        headers: "Mapping[str, str]",
        *,
        deadline: "Deadline",
        min_time: float,
    ) -> Reply | NoReply:
        """Send a request and return its reply by the deadline; only resolving the server's name may take longer.

        `target` is a path with its query. Nothing is sent with fewer than `min_time` seconds left.

        Raises:
            ConfigurationException: HTTPS_PROXY names no proxy that can be used.

        """
        connection = self._reused() or self._connected(deadline)
        if isinstance(connection, NoReply):
            return connection
        seconds = min(READ_TIMEOUT, deadline.left())
        if seconds < min_time:
            connection.close()
            return NoReply("no time left", sent=False)
        request = method, target, body, {"Host": self._host, **headers}
        return self._exchange(connection, request, seconds)

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        request: tuple[str, str, bytes | None, dict[str, str]],
        seconds: float,
    ) -> Reply | NoReply:
        connection.sock.settimeout(seconds)
        response: http.client.HTTPResponse | None = None
        try:
            connection.request(*request)
            response = connection.getresponse()
            reply = _read(response)
        except Exception as error:  # noqa: BLE001 - whatever it is, it may hold the request or the reply
            reply = NoReply(_name(error), sent=True)
        if response:
            response.close()  # http.client leaves the socket to the response where the connection is not kept
        if isinstance(reply, Reply) and reply.reusable:
            self._kept = connection, time()
        else:
            connection.close()
        return reply

    def _reused(self) -> http.client.HTTPConnection | None:
        """Return the kept connection if it is young and the server has neither closed it nor sent anything."""
        kept, self._kept = self._kept, None
        if kept is None:
            return None
        connection, used_at = kept
        readable = select.poll()
        readable.register(connection.sock, select.POLLIN)
        if 0 <= time() - used_at < MAX_IDLE and not readable.poll(0):
            return connection
        connection.close()
        return None

    def _connected(self, deadline: "Deadline") -> http.client.HTTPConnection | NoReply:
        host = str(self._url.hostname)
        connection = http.client.HTTPConnection(host, self._url.port or (80 if self._context is None else 443))
        connection.response_class = WholeResponse
        try:
            if self._context is None:
                connection.sock = dial(host, connection.port, deadline)
            else:
                connection.sock = dial_through_proxy(host, connection.port, deadline)
                connection.sock.settimeout(step_timeout(deadline))
                # No certificate has the dot at the end of a complete name.
                connection.sock = self._context.wrap_socket(connection.sock, server_hostname=host.rstrip("."))
        except ssl.SSLCertVerificationError:
            connection.close()
            return NoReply("its certificate is not trusted", sent=False, trusted=False)
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            return NoReply(_name(error), sent=False)
        return connection


def _read(response: http.client.HTTPResponse) -> Reply | NoReply:
    """Read a response unless it is too long. One that was cut off is a reply if its JSON can be read."""
    body, cut_off = bytearray(), ""
    try:
        while max(len(body), response.length or 0) <= MAX_BYTES and (piece := response.read1(MAX_BYTES + 1)):
            body += piece
        if 0 < (response.length or 0) <= MAX_BYTES:
            cut_off = "its answer was cut off"
    except (OSError, http.client.HTTPException, ValueError) as error:
        cut_off = _name(error)
    content = None
    if (response.length or 0) <= MAX_BYTES:
        content = decoded(bytes(body), response.headers.get("Content-Encoding"), max_bytes=MAX_BYTES)
    if cut_off and json_members(content) is None:
        return NoReply(cut_off, sent=True)
    return Reply(
        response.status,
        content,
        retry_after=response.headers.get("Retry-After"),
        challenge=", ".join(response.headers.get_all("WWW-Authenticate", ())),
        content_type=response.headers.get("Content-Type"),
        reusable=content is not None and not cut_off and not response.will_close,
    )


def _name(error: Exception) -> str:
    """Return the class of an exception, since its text may hold what was sent."""
    return "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__

"""HTTP responses that arrive whole within the read timeout, and are not endless.

A socket's timeout is for one piece of a response: a server that sends a byte a second keeps its caller for hours. The
time that an invocation has is counted in whole calls (`_effort`, `MAX_CALL_TIME`), so a call must end when it says.
"""

from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from socket import socket
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from botocore.httpsession import URLLib3Session

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MOST_BYTES: Final = 4 * 1024 * 1024
"""What a response may have, head included. The largest that is expected is a secret: 64 KiB, six bytes for each of
them should JSON escape it all."""


class _Pieces(RawIOBase):
    """What is read from a socket, until its timeout, counted from now, is over."""

    def __init__(self, sock: socket, raw: RawIOBase) -> None:
        seconds = sock.gettimeout()
        self._ends = None if seconds is None else monotonic() + seconds
        self._sock, self._raw, self._left = sock, raw, MOST_BYTES

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int | None:
        """Read the next piece.

        Raises:
            TimeoutError: the time is over.
            ConnectionError: the response is too long.

        """
        if self._ends is not None:
            seconds = self._ends - monotonic()
            if seconds <= 0:
                raise TimeoutError
            self._sock.settimeout(seconds)
        count = self._raw.readinto(buffer)
        self._left -= count or 0
        if self._left < 0:
            raise ConnectionError("The response is too long")
        return count

    def close(self) -> None:
        """Close what is read from."""
        self._raw.close()
        super().close()


class WholeResponse(HTTPResponse):
    """A response that arrives, from its first byte to its last, within the timeout that its socket has now."""

    def __init__(self, sock: socket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as http.client has them
        super().__init__(sock, *args, **kwargs)
        self.fp = BufferedReader(_Pieces(sock, self.fp.detach()))


class _Connection(AWSHTTPConnection):
    response_class = WholeResponse  # type: ignore[assignment]  # http.client's, which is what it is there, too


class _TLSConnection(AWSHTTPSConnection):
    response_class = WholeResponse  # type: ignore[assignment]


class _Pool(AWSHTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(AWSHTTPSConnectionPool):
    ConnectionCls = _TLSConnection


def only_whole_responses(session: URLLib3Session) -> None:
    """Let a session of botocore's take no other responses. botocore has no public place to say so."""
    session._pool_classes_by_scheme.update(http=_Pool, https=_TLSPool)  # type: ignore[attr-defined]  # noqa: SLF001

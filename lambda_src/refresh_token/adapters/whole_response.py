"""Limits how long an HTTP response may take and how large it may be.

A socket's timeout counts for each piece of a response, so a server that sends a byte a second can keep its caller for
hours. An invocation plans its time in complete calls (`_attempts_within`, `MAX_CALL_TIME`), so each call must end in
time.
"""

from io import BufferedReader, RawIOBase
from socket import socket
from typing import TYPE_CHECKING, Any, Final

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from botocore.httpsession import URLLib3Session

from refresh_token.adapters.deadline import Deadline
from refresh_token.oauth.final_response import FinalResponse

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_BYTES: Final = 4 * 1024 * 1024
"""Longest response, including its head. The largest that we expect is a secret: 64 KiB, six bytes for each of them if
JSON escapes them all."""


class _TimedReader(RawIOBase):
    """Reads from a socket until the socket's timeout, counted from now, has passed."""

    def __init__(self, sock: socket, raw: RawIOBase) -> None:
        timeout = sock.gettimeout()
        self._deadline = None if timeout is None else Deadline.after(timeout)
        self._sock, self._raw, self._left = sock, raw, MAX_BYTES

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int | None:
        """Read the next piece.

        Raises:
            TimeoutError: the time is up.
            ConnectionError: the response is too long.

        """
        if self._deadline is not None:
            seconds = self._deadline.left()
            if seconds <= 0:
                raise TimeoutError
            self._sock.settimeout(seconds)
        count = self._raw.readinto(buffer)
        self._left -= count or 0
        if self._left < 0:
            raise ConnectionError("The response is too long")
        return count

    def close(self) -> None:
        """Close the socket's own reader."""
        self._raw.close()
        super().close()


class WholeResponse(FinalResponse):
    """A response that arrives, from its first byte to its last, within the current timeout of its socket."""

    def __init__(self, sock: socket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as http.client has them
        super().__init__(sock, *args, **kwargs)
        self.fp = BufferedReader(_TimedReader(sock, self.fp.detach()))


class _Connection(AWSHTTPConnection):
    response_class = WholeResponse  # type: ignore[assignment]  # botocore's class is typed as http.client's own


class _TLSConnection(AWSHTTPSConnection):
    response_class = WholeResponse  # type: ignore[assignment]


class _Pool(AWSHTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(AWSHTTPSConnectionPool):
    ConnectionCls = _TLSConnection


def only_whole_responses(session: URLLib3Session) -> None:
    """Make a session of botocore's use `WholeResponse`. botocore has no public way to do this."""
    session._pool_classes_by_scheme.update(http=_Pool, https=_TLSPool)  # type: ignore[attr-defined]  # noqa: SLF001

"""The final response to a request, read as leniently as other clients do. It may hold the only new refresh token."""

import http.client
from http import HTTPStatus

http.client._MAXHEADERS = 1000  # type: ignore[attr-defined]  # noqa: SLF001 - http.client has no public way
# By default, a response with more than 100 headers fails. Some servers set dozens of cookies with each answer.


class FinalResponse(http.client.HTTPResponse):
    """Skips informational responses (RFC 9110, 15.2), of which http.client itself skips 100 only.

    101 is not skipped: nobody asked for another protocol.
    """

    def _read_status(self) -> tuple[str, int, str]:
        line = super()._read_status()  # type: ignore[misc]  # http.client's own hook, which its types leave out
        while HTTPStatus.CONTINUE <= line[1] < HTTPStatus.OK and line[1] != HTTPStatus.SWITCHING_PROTOCOLS:
            http.client.parse_headers(self.fp)
            line = super()._read_status()  # type: ignore[misc]
        return line  # type: ignore[no-any-return]

    def begin(self) -> None:
        """Read the head. http.client takes a body for chunked only if the header says exactly that word.

        White space may follow it, and other codings may precede it (RFC 9112, 7).
        """
        super().begin()
        codings = (self.headers.get("Transfer-Encoding") or "").lower().split(",")
        if codings[-1].strip() == "chunked" and not self.chunked:
            self.chunked, self.chunk_left, self.length = True, None, None
            self.will_close = self._check_close()  # type: ignore[attr-defined]

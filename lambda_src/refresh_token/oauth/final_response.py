"""The final response to a request, without the informational ones before it."""

from http import HTTPStatus
from http.client import HTTPResponse, parse_headers


class FinalResponse(HTTPResponse):
    """Skips informational responses (RFC 9110, 15.2), of which http.client itself skips 100 only.

    101 is not skipped: nobody asked for another protocol.
    """

    def _read_status(self) -> tuple[str, int, str]:
        line = super()._read_status()  # type: ignore[misc]  # http.client's own hook, which its types leave out
        while HTTPStatus.CONTINUE <= line[1] < HTTPStatus.OK and line[1] != HTTPStatus.SWITCHING_PROTOCOLS:
            parse_headers(self.fp)
            line = super()._read_status()  # type: ignore[misc]
        return line  # type: ignore[no-any-return]

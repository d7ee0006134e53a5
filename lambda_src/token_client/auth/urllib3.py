"""The same for urllib3, which has no notion of auth: a pool manager's ``request`` with a token."""

from collections.abc import Collection
from functools import partial
from typing import Any, Final
from urllib.parse import urljoin

from urllib3 import BaseHTTPResponse, HTTPHeaderDict, PoolManager
from urllib3.exceptions import UnrewindableBodyError
from urllib3.util.request import rewind_body, set_file_position

from token_client.auth.rejections import REJECTED, Rejections, Trial
from token_client.errors import TokenClientError
from token_client.source import TokenSource

_HEADER: Final = "Authorization"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class TokenPool:
    """``TokenPool(client).request("GET", url)``: what `pool` (by default one of its own) does, with a token.

    Tries once more with another token when one is rejected (`rejected_statuses`). The body of a generator cannot be
    sent again: then the rejection is reported and the answer returned as it is. The token is not sent along with a
    redirect to another host, and what that host says is not about the token.
    """

    def __init__(
        self,
        source: TokenSource,
        pool: PoolManager | None = None,
        *,
        rejected_statuses: Collection[int] = REJECTED,
    ) -> None:
        self._rejections = Rejections(source, statuses=rejected_statuses)
        self._pool = pool or PoolManager()

    def request(self, method: str, url: str, **options: Any) -> BaseHTTPResponse:  # noqa: ANN401 - urllib3's own
        """Send a request; takes the options of ``PoolManager.request``.

        Raises:
            TokenClientError: there is no token to be had.
            HTTPError: urllib3's own.

        """
        body = options.get("body")
        position = set_file_position(body, None)
        trial = self._rejections.begin()
        response = self._send(method, url, trial, options)
        while not self._left(url, response):
            can_be = partial(_can_be_repeated, method, response, body, position)
            try:
                if not trial.is_to_be_repeated(response.status, can_be=can_be):
                    break
            except TokenClientError:
                response.close()
                raise
            response.drain_conn()
            response = self._send(method, url, trial, options)
        return response

    def _send(self, method: str, url: str, trial: Trial, options: dict[str, Any]) -> BaseHTTPResponse:
        given = options.get("headers")
        headers = HTTPHeaderDict(self._pool.headers if given is None else given)
        headers[_HEADER] = trial.token.authorization
        return self._pool.request(method, url, **{**options, "headers": headers})

    def _left(self, url: str, response: BaseHTTPResponse) -> bool:
        """Whether a redirect led to another host, which is where the token was left behind."""
        first, here = self._pool.connection_from_url(url), url
        for hop in response.retries.history if response.retries else ():
            here = urljoin(here, hop.redirect_location or "")
            if not first.is_same_host(here):
                return True
        return False


def _can_be_repeated(method: str, response: BaseHTTPResponse, body: object, position: Any) -> bool:  # noqa: ANN401 - an opaque value of urllib3
    """Whether to begin again, also after redirects, is harmless and possible."""
    redirected = response.retries is not None and any(hop.redirect_location for hop in response.retries.history)
    return (not redirected or method.upper() in _SAFE) and _rewound(body, position)


def _rewound(body: object, position: Any) -> bool:  # noqa: ANN401 - urllib3's own
    """Whether the body can be sent again: there is none, it is in memory, or a file that was put back to its start."""
    if body is None or isinstance(body, str | bytes | bytearray | memoryview):
        return True
    try:
        rewind_body(body, position)  # type: ignore[arg-type] # what is no file is refused
    except (UnrewindableBodyError, ValueError):
        return False
    return True

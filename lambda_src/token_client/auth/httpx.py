"""Auth for httpx, sync and async: ``httpx.Client(auth=TokenAuth(client))``."""

from collections.abc import AsyncGenerator, Collection, Generator
from typing import Final

import anyio.to_thread
import httpx

from token_client.auth.rejections import REJECTED, Rejections, Trial
from token_client.source import TokenSource

_HEADER: Final = "Authorization"


class TokenAuth(httpx.Auth):
    """Adds the token, and tries once more with another when it is rejected (`rejected_statuses`).

    A streamed body (generator, file) cannot be sent again: then the rejection is reported and the answer returned as it
    is. A redirect to another host loses the token, as httpx sees to it, and what that host says is not about the token.
    In async code the function is asked in a worker thread; the event loop goes on.

    Raises:
        TokenClientError: from the request, when there is no token to be had.

    """

    def __init__(self, source: TokenSource, *, rejected_statuses: Collection[int] = REJECTED) -> None:
        self._rejections = Rejections(source, statuses=rejected_statuses)

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send a request with `httpx.Client`."""
        trial = self._rejections.begin()
        response = yield _signed(request, trial)
        while _is_to_be_repeated(trial, response):
            response = yield _signed(response.request, trial)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send a request with `httpx.AsyncClient`."""
        trial = await anyio.to_thread.run_sync(self._rejections.begin)
        response = yield _signed(request, trial)
        while await anyio.to_thread.run_sync(_is_to_be_repeated, trial, response):
            response = yield _signed(response.request, trial)


def _signed(request: httpx.Request, trial: Trial) -> httpx.Request:
    request.headers[_HEADER] = trial.token.authorization
    return request


def _is_to_be_repeated(trial: Trial, response: httpx.Response) -> bool:
    """Look at an answer, also at the end of redirects."""
    request = response.request
    if request.headers.get(_HEADER) != trial.token.authorization:
        return False  # another host's answer
    in_memory = isinstance(request.stream, httpx.ByteStream)
    return trial.is_to_be_repeated(response.status_code, can_be=lambda: in_memory)

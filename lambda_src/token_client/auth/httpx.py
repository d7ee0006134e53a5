"""Auth for httpx, sync and async: ``httpx.Client(auth=TokenAuth(client))``."""

from collections.abc import AsyncGenerator, Collection, Generator
from typing import Final

import anyio.to_thread
import httpx

from token_client.auth.rejections import REJECTED, Rejections, Trial
from token_client.source import TokenSource

_HEADER: Final = "Authorization"


class TokenAuth(httpx.Auth):
    """Adds the token, and retries once with another one if the API rejects it (`rejected_statuses`).

    A streamed body (generator, file) cannot be sent again, so the adapter reports the rejection and returns the answer
    as it is. On a redirect to another host httpx drops the token, and the adapter ignores that host's rejection. In
    async code a worker thread asks the function, so the event loop is not blocked.

    Raises:
        TokenClientError: from the request, if no token is available.

    """

    def __init__(self, source: TokenSource, *, rejected_statuses: Collection[int] = REJECTED) -> None:
        self._rejections = Rejections(source, statuses=rejected_statuses)

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send a request with `httpx.Client`."""
        trial = self._rejections.begin()
        response = yield _signed(request, trial)
        while _should_repeat(trial, response):
            response = yield _signed(response.request, trial)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send a request with `httpx.AsyncClient`."""
        trial = await anyio.to_thread.run_sync(self._rejections.begin)
        response = yield _signed(request, trial)
        while await anyio.to_thread.run_sync(_should_repeat, trial, response):
            response = yield _signed(response.request, trial)


def _signed(request: httpx.Request, trial: Trial) -> httpx.Request:
    request.headers[_HEADER] = trial.token.authorization
    return request


def _should_repeat(trial: Trial, response: httpx.Response) -> bool:
    """Decide about an answer, which may be the end of a chain of redirects."""
    request = response.request
    if request.headers.get(_HEADER) != trial.token.authorization:
        return False  # another host's answer
    in_memory = isinstance(request.stream, httpx.ByteStream)
    return trial.should_repeat(response.status_code, can_repeat=lambda: in_memory)

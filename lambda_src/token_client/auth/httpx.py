"""Auth for httpx, sync and async: ``httpx.Client(auth=TokenAuth(client))``."""

from collections.abc import AsyncGenerator, Collection, Generator
from functools import partial
from typing import Final

import anyio.to_thread
import httpx

from token_client.auth.rejections import REJECTED, Rejections
from token_client.source import TokenSource
from token_client.tokens import Token

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
        token = self._rejections.source.get_token()
        response = yield _signed(request, token)
        if self._is_about(token, response):
            replacement = self._rejections.replacement(token)
            if replacement and _is_in_memory(response.request):
                response = yield _signed(response.request, replacement)
                self._rejections.tried(replacement, response.status_code)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send a request with `httpx.AsyncClient`."""
        token = await anyio.to_thread.run_sync(self._rejections.source.get_token)
        response = yield _signed(request, token)
        if self._is_about(token, response):
            replacement = await anyio.to_thread.run_sync(partial(self._rejections.replacement, token))
            if replacement and _is_in_memory(response.request):
                response = yield _signed(response.request, replacement)
                self._rejections.tried(replacement, response.status_code)

    def _is_about(self, token: Token, response: httpx.Response) -> bool:
        """Whether an answer, also at the end of redirects, is the rejection of this token."""
        sent = response.request.headers.get(_HEADER)
        return self._rejections.is_rejection(response.status_code) and sent == token.authorization


def _signed(request: httpx.Request, token: Token) -> httpx.Request:
    request.headers[_HEADER] = token.authorization
    return request


def _is_in_memory(request: httpx.Request) -> bool:
    return isinstance(request.stream, httpx.ByteStream)

"""Auth for httpx, sync and async: ``httpx.Client(auth=TokenAuth(client))``."""

import sys
import traceback
from collections.abc import AsyncGenerator, Collection, Generator
from contextlib import suppress
from typing import Any, Final

import anyio.to_thread
import httpx

from token_client.auth.rejections import REJECTED, Rejections, Trial
from token_client.errors import TokenClientError
from token_client.source import TokenSource

_HEADER: Final = "Authorization"


class TokenAuth(httpx.Auth):
    """Adds the token, and retries once with another one if the API rejects it (`rejected_statuses`).

    A streamed body (generator, file) cannot be sent again, so the adapter reports the rejection and returns the answer
    as it is. If a response hook of the client raises, the adapter reports the rejection, too, and the error stands. On
    a redirect to another host httpx drops the token, and the adapter ignores that host's rejection. In async code a
    worker thread asks the function, so the event loop is not blocked.

    Raises:
        TokenClientError: from the request, if no token is available.

    """

    def __init__(self, source: TokenSource, *, rejected_statuses: Collection[int] = REJECTED) -> None:
        self._rejections = Rejections(source, statuses=rejected_statuses)

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send a request with `httpx.Client`."""
        return _Flow(_Exchange(self._rejections, request))

    def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send a request with `httpx.AsyncClient`."""
        return _AsyncFlow(_Exchange(self._rejections, request))


class _Exchange:
    """A request, and what to do after each answer."""

    def __init__(self, rejections: Rejections, request: httpx.Request) -> None:
        self._rejections, self._request = rejections, request
        self._trial: Trial | None = None
        self._answer: httpx.Response | None = None
        self.is_unanswered = False

    def after(self, answer: httpx.Response | None) -> httpx.Request | None:
        """Return the request to send after an answer, or None; without an answer the first one."""
        self.is_unanswered = False
        if self._trial is None or answer is None:
            self._trial = self._rejections.begin()
        elif _should_repeat(self._trial, answer):
            self._request, self._answer = answer.request, answer
        else:
            return None
        self.is_unanswered = True
        return _signed(self._request, self._trial)

    def fail(self, error: BaseException | None) -> None:
        """Report the rejection in an answer that a hook of the caller raised about: httpx does not pass it on."""
        answer = _answer_in(error) if self.is_unanswered and isinstance(error, Exception) else None
        if self._trial and answer and answer is not self._answer:
            with suppress(TokenClientError):  # the caller gets the hook's error
                _should_repeat(self._trial, answer, is_over=True)


class _Flow(Generator[httpx.Request, httpx.Response, None]):
    """The exchange, as httpx drives it. A generator could not see why it is closed."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    def send(self, value: httpx.Response | None) -> httpx.Request:
        if request := self._exchange.after(value):
            return request
        raise StopIteration

    def throw(self, error: Any, *_: Any) -> httpx.Request:  # noqa: ANN401 - the generator's interface
        raise error

    def close(self) -> None:
        self._exchange.fail(sys.exception())


class _AsyncFlow(AsyncGenerator[httpx.Request, httpx.Response]):
    """The same for async code."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    async def asend(self, value: httpx.Response | None) -> httpx.Request:
        if request := await anyio.to_thread.run_sync(self._exchange.after, value):
            return request
        raise StopAsyncIteration

    async def athrow(self, error: Any, *_: Any) -> httpx.Request:  # noqa: ANN401 - the generator's interface
        raise error

    async def aclose(self) -> None:
        error = sys.exception()
        if self._exchange.is_unanswered and isinstance(error, Exception):
            await anyio.to_thread.run_sync(self._exchange.fail, error)


def _signed(request: httpx.Request, trial: Trial) -> httpx.Request:
    request.headers[_HEADER] = trial.token.authorization
    return request


def _should_repeat(trial: Trial, response: httpx.Response, *, is_over: bool = False) -> bool:
    """Decide about an answer, which may be the end of a chain of redirects."""
    request = response.request
    if request.headers.get(_HEADER) != trial.token.authorization:
        return False  # another host's answer
    return trial.should_repeat(response.status_code, can_repeat=lambda: not is_over and _can_repeat(request))


def _can_repeat(request: httpx.Request) -> bool:
    """Whether the body can be sent again: it is in memory, or a form whose files httpx itself rewinds."""
    fields = getattr(request.stream, "fields", None)
    if fields is None:
        return isinstance(request.stream, httpx.ByteStream)
    files = [getattr(field, "file", b"") for field in fields]
    return all(isinstance(file, str | bytes) or file.seekable() for file in files)


def _answer_in(error: Exception) -> httpx.Response | None:
    """Return the answer that an error is about: the hook's argument, a local variable of the innermost such frame."""
    found = None
    for frame, _ in traceback.walk_tb(error.__traceback__):
        found = next((local for local in frame.f_locals.values() if isinstance(local, httpx.Response)), found)
    return found

"""Auth for httpx, sync and async: ``httpx.Client(auth=TokenAuth(client))``."""

import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import suppress
from functools import cached_property, partial
from typing import Any

import httpx

from token_client.auth.async_questions import AsyncQuestions
from token_client.auth.evidence import evidence_of
from token_client.auth.httpx_messages import SignedHeaders, answer_in, aread, body_of, can_repeat, carries, read
from token_client.auth.rejections import AuthAdapter, Rejections, Trial
from token_client.errors import TokenClientError


class TokenAuth(AuthAdapter, httpx.Auth):
    """Adds the token, and retries once with another one if the API rejects it (`rejected_statuses`).

    Only `hosts` get the token; by default every host over https, and loopback addresses over http. A streamed body
    (generator, file) cannot be sent again, so the adapter reports the rejection and returns the answer as it is. If a
    response hook of the client raises, the adapter reports the rejection, too, and the error stands. On a redirect to
    another host httpx drops the token, and the adapter ignores that host's rejection.

    In async code a token in memory takes no thread. Questions to the function run in threads of the auth's own.

    Raises:
        TokenClientError: from the request, if no token is available within its read timeout.
        ClientConfigurationException: an entry of `hosts` is not a host.

    """

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send a request with `httpx.Client`."""
        return _Flow(_Exchange(self._rejections, request))

    def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send a request with `httpx.AsyncClient`."""
        return _AsyncFlow(_Exchange(self._rejections, request), self._questions)

    @cached_property
    def _questions(self) -> AsyncQuestions:
        return AsyncQuestions()


class _Exchange:
    """A request, and what to do after each answer."""

    def __init__(self, rejections: Rejections, request: httpx.Request) -> None:
        self._rejections, self._request = rejections, request
        url = request.url
        self._is_allowed = rejections.hosts.allow(url.scheme, url.host, url.port)
        self._trial: Trial | None = None
        self._answer: httpx.Response | None = None
        self.is_unanswered = False
        self.timeout: float | None = request.extensions.get("timeout", {}).get("read")
        """Seconds that the caller waits for an answer. A token may take as long."""

    def begin_from_memory(self) -> bool:
        """Take a token without a question to the function, if that is possible, and return whether it was."""
        if self._is_allowed:
            self._trial = self._rejections.begin_from_memory(self.timeout)
        return self._trial is not None or not self._is_allowed

    def after(self, answer: httpx.Response | None) -> httpx.Request | None:
        """Return the request to send after an answer, or None; without an answer the first one."""
        self.is_unanswered = False
        if answer is None:
            if self._is_allowed and self._trial is None:
                self._trial = self._rejections.begin(self.timeout)
        elif self._should_repeat(answer):
            self._request, self._answer = answer.request, answer
        else:
            for each in (*answer.history, answer):  # a redirect copied the headers
                each.request.headers = SignedHeaders(each.request.headers)
            return None
        self.is_unanswered = True
        if self._trial:
            self._request.headers = headers = SignedHeaders(self._request.headers)
            headers.sign(self._trial.token)
        return self._request

    def is_rejected(self, answer: httpx.Response) -> bool:
        """Whether the answer, which may be the end of a chain of redirects, rejects our token."""
        return bool(
            self._trial
            and self._trial.is_rejection(answer.status_code)
            and carries(answer.request, self._trial.token)  # otherwise it is another host's answer
        )

    def fail(self, error: BaseException | None) -> None:
        """Report the rejection in an answer that a hook of the caller raised about: httpx does not pass it on."""
        answer = answer_in(error) if self.is_unanswered and isinstance(error, Exception) else None
        if answer and answer is not self._answer:
            with suppress(TokenClientError):  # the caller gets the hook's error
                self._should_repeat(answer, is_over=True)

    def _should_repeat(self, answer: httpx.Response, *, is_over: bool = False) -> bool:
        trial = self._trial
        if trial is None or not carries(answer.request, trial.token):
            return False
        return trial.should_repeat(
            answer.status_code,
            evidence_of(answer.headers.get_list("WWW-Authenticate"), body_of(answer)),
            can_repeat=lambda: not is_over and can_repeat(answer.request),
        )


class _Flow(Generator[httpx.Request, httpx.Response, None]):
    """The exchange, as httpx drives it. A generator could not see why it is closed."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    def send(self, value: httpx.Response | None) -> httpx.Request:
        if value and self._exchange.is_rejected(value):
            read(value)
        if request := self._exchange.after(value):
            return request
        raise StopIteration

    def throw(self, error: Any, *_: Any) -> httpx.Request:  # noqa: ANN401 - the generator's interface
        raise error

    def close(self) -> None:
        self._exchange.fail(sys.exception())


class _AsyncFlow(AsyncGenerator[httpx.Request, httpx.Response]):
    """The same for async code."""

    def __init__(self, exchange: _Exchange, questions: AsyncQuestions) -> None:
        self._exchange, self._questions = exchange, questions

    async def asend(self, value: httpx.Response | None) -> httpx.Request:
        exchange = self._exchange
        if value is None:
            needs_function = not exchange.begin_from_memory()
        elif needs_function := exchange.is_rejected(value):
            await aread(value)
        after = partial(exchange.after, value)
        request = await self._questions.ask(after, exchange.timeout) if needs_function else after()
        if request:
            return request
        raise StopAsyncIteration

    async def athrow(self, error: Any, *_: Any) -> httpx.Request:  # noqa: ANN401 - the generator's interface
        raise error

    async def aclose(self) -> None:
        error = sys.exception()
        if self._exchange.is_unanswered and isinstance(error, Exception):
            await self._questions.ask(partial(self._exchange.fail, error), self._exchange.timeout)

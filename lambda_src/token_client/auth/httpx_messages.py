"""What httpx does not tell an auth: whether a request can be sent again, and what an answer holds before it is read."""

import traceback
from collections.abc import AsyncIterable, Iterable
from typing import Final

import httpx

from token_client.auth.further_headers import headers_for
from token_client.tokens import Token

MAX_BODY: Final = 65_536
"""Bytes. A longer body says nothing about a token, and may be a download."""

_DROPPED: Final = b"authorization"
"""The name that httpx looks for when it drops the token on the way to another host."""


class SignedHeaders(httpx.Headers):
    """A request's headers, which leave the token behind when they are pickled, for example with the response.

    httpx keeps the name that it sends apart from the name that it looks for. All headers of the token get the one that
    httpx drops on a redirect to another host. So none of them goes there, whatever the provider calls them.
    """

    def sign(self, token: Token) -> None:
        """Add the headers of a token instead of those of another one. Further headers of the caller's own stay."""
        theirs = {name.decode(): value for name, sought, value in self._list if sought.lower() != _DROPPED}
        signed = [(name.encode(), _DROPPED, value.encode()) for name, value in headers_for(token, theirs).items()]
        ours = {name.lower() for name, _, _ in signed}
        self._list = [
            each for each in self._list if each[1].lower() != _DROPPED and each[0].lower() not in ours
        ] + signed

    def __reduce__(self) -> tuple[object, ...]:
        return httpx.Headers, ([(name, value) for name, sought, value in self._list if sought.lower() != _DROPPED],)


def carries(request: httpx.Request, token: Token) -> bool:
    """Whether a request carries this token. One that a redirect sent to another host does not."""
    header = (token.api.header.lower().encode(), token.authorization.encode())
    return header in [(name.lower(), value) for name, value in request.headers.raw]


class _Read(httpx.ByteStream):
    """A body that was read from the network, for whoever reads the answer next."""

    def __init__(self, body: bytes, origin: httpx.SyncByteStream | httpx.AsyncByteStream) -> None:
        super().__init__(body)
        self.body, self._origin = body, origin

    def close(self) -> None:
        if isinstance(self._origin, httpx.SyncByteStream):
            self._origin.close()

    async def aclose(self) -> None:
        if isinstance(self._origin, httpx.AsyncByteStream):
            await self._origin.aclose()


def read(answer: httpx.Response) -> None:
    """Read the body of an answer, and leave the answer unread for the caller."""
    if _is_short_and_unread(answer) and isinstance(answer.stream, Iterable):
        answer.stream = _Read(b"".join(answer.stream), answer.stream)


async def aread(answer: httpx.Response) -> None:
    """Do the same in async code."""
    if _is_short_and_unread(answer) and isinstance(answer.stream, AsyncIterable):
        answer.stream = _Read(b"".join([part async for part in answer.stream]), answer.stream)


def body_of(answer: httpx.Response) -> bytes:
    """Return the body if it has been read, decoded."""
    try:
        if not isinstance(answer.stream, _Read):
            return answer.content
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.stream.body).content
    except (httpx.ResponseNotRead, httpx.DecodingError):
        return b""


def can_repeat(request: httpx.Request) -> bool:
    """Whether the body can be sent again: it is in memory, or a form whose files httpx itself rewinds."""
    fields = getattr(request.stream, "fields", None)
    if fields is None:
        return isinstance(request.stream, httpx.ByteStream)
    files = [getattr(field, "file", b"") for field in fields]
    try:
        return all(isinstance(file, str | bytes) or file.seekable() for file in files)
    except (AttributeError, ValueError):  # it can only be read, or it is closed
        return False


def answer_in(error: Exception) -> httpx.Response | None:
    """Return the answer that an error is about: the hook's argument, a local variable of the innermost such frame."""
    found = None
    for frame, _ in traceback.walk_tb(error.__traceback__):
        found = next((local for local in frame.f_locals.values() if isinstance(local, httpx.Response)), found)
    return found


def _is_short_and_unread(answer: httpx.Response) -> bool:
    length = answer.headers.get("Content-Length", "0")
    return not (answer.is_closed or answer.is_stream_consumed) and length.isdecimal() and int(length) <= MAX_BODY

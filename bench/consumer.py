"""Compares async requests that carry a token from memory with the same requests without one.

No network: httpx answers itself, so that the auth's own time shows.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Final

import anyio.to_thread
import httpx

from bench.figures import Line, compare
from token_client.answers import Received
from token_client.auth.httpx import TokenAuth
from token_client.keeper import TokenKeeper
from token_client.kept_token import Now
from token_client.tokens import Token

TURNS: Final = 60
REQUESTS: Final = 50
ANSWERED: Final = Received(Token("token", "version", "fresh", None), 90 * 86_400)


class Hop(httpx.Auth):
    """The least that an auth does which leaves the event loop for each request."""

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sign in a worker thread."""
        request.headers["Authorization"] = await anyio.to_thread.run_sync(lambda: "Bearer token")
        yield request


def lines() -> list[Line]:
    """Return the lines of the table."""
    keeper = TokenKeeper(lambda *_, **__: ANSWERED, now=lambda: Now(time.monotonic(), time.time()), jitter=lambda: 0.0)
    keeper.get_token()
    ours, without, hop = asyncio.run(_measure(TokenAuth(keeper), httpx.Auth(), Hop()))
    what = "async request with a token in memory"
    return [
        compare(what=what, ours=ours, peer="without a token", theirs=without, unit="µs", goal=2),
        compare(what=what, ours=ours, peer="a thread for each request", theirs=hop, unit="µs", goal=0.75),
    ]


async def _measure(*auths: httpx.Auth) -> list[list[float]]:
    """Return the microseconds of a request for each auth, measured in turn."""
    found: list[list[float]] = [[] for _ in auths]
    transport = httpx.MockTransport(lambda _: httpx.Response(200))
    async with httpx.AsyncClient(transport=transport) as session:
        for _ in range(TURNS):
            for auth, figures in zip(auths, found, strict=True):
                before = time.perf_counter()
                for _ in range(REQUESTS):
                    await session.get("https://api.figma.com/v1/me", auth=auth)
                figures.append((time.perf_counter() - before) / REQUESTS * 1e6)
    return found

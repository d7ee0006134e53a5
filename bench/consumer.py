"""Compares async requests that carry a token from memory with the same requests without one, and weighs many clients.

No network: httpx and botocore answer themselves, so that the client's own time and memory show.
"""

import asyncio
import gc
import io
import json
import secrets
import time
import tracemalloc
import uuid
from collections.abc import AsyncGenerator
from typing import Any, Final

import anyio.to_thread
import boto3.session
import httpx
import urllib3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from bench.figures import Line, compare
from token_client.answers import Received
from token_client.auth.httpx import TokenAuth
from token_client.clients import TokenClients
from token_client.keeper import TokenKeeper
from token_client.kept_token import Now
from token_client.tokens import Token

TURNS: Final = 60
REQUESTS: Final = 50
CONNECTIONS: Final = 2_000
MAX_KILOBYTES: Final = 6
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


def memory() -> Line:
    """Return the line about the memory of a process that keeps the tokens of many connections."""
    session = boto3.session.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name="us-east-1")  # noqa: S106
    session.events.register("before-send.lambda.Invoke", _answer)
    clients = TokenClients("bench", session=session, max_connections=CONNECTIONS)
    clients.connection("warm").get_token()
    gc.collect()
    tracemalloc.start()
    for number in range(CONNECTIONS):
        clients.connection(f"tenant/{number}").get_token()
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    each = size / CONNECTIONS / 1024
    return Line(
        what=f"memory of a process for each of {CONNECTIONS:,} connections whose tokens it keeps",
        ours=f"{each:.1f} KB",
        goal=f"≤ {MAX_KILOBYTES} KB",
        met=each <= MAX_KILOBYTES,
    )


def _answer(request: Any, **_: object) -> Any:  # noqa: ANN401 - botocore's events have no types
    """Answer as a fleet's function does, instead of the network."""
    asked = json.loads(request.body)
    token = {"accessToken": secrets.token_urlsafe(500), "expiresIn": 7_000_000, "versionId": str(uuid.uuid4())}
    body = json.dumps({**asked, **token, "expiresAt": "2100-01-01T00:00:00Z", "state": "fresh", "provider": "figma"})
    raw = urllib3.HTTPResponse(body=io.BytesIO(body.encode()), status=200, preload_content=False)
    return AWSResponse(request.url, 200, HTTPHeaders(), raw)


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

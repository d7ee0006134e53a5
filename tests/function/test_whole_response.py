"""Responses that come in pieces, late, or without an end, over real sockets, as botocore reads them."""

import http.client
import itertools
import json
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import pytest
from botocore.config import Config

from refresh_token.adapters.aws_clients import Fault, attempt, punctual_client
from refresh_token.adapters.whole_response import MAX_BYTES
from tests.support.token_server import accepting

BODY = json.dumps({"ARN": "arn", "Name": "pair", "VersionId": "V1", "SecretString": "x" * 40}).encode()
HEAD = f"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(b"1\r\n%c\r\n" % byte for byte in BODY)
Pieces = Callable[[], Iterable[bytes]]

PAUSE = 0.05
"""Seconds between two pieces. Each dripping answer takes longer than the read timeout and does end, so a client without
our bound gets it and the test fails."""


def slowly(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        time.sleep(PAUSE)
        yield piece


def byte_by_byte(answer: bytes) -> Iterator[bytes]:
    return slowly(bytes([byte]) for byte in answer)


def requested(connection: socket.socket) -> bool:
    """Read a complete request, which may come in pieces; return whether there was one."""
    with connection.makefile("rb") as stream:
        head = http.client.parse_headers(stream) if stream.readline() else None
        return head is not None and stream.read(int(head["Content-Length"])) is not None


@contextmanager
def serving(pieces: Pieces) -> Iterator[str]:
    """Answer every request with these pieces, on kept connections."""

    def serve(connection: socket.socket, _: int) -> None:
        while requested(connection):
            for piece in pieces():
                connection.sendall(piece)

    with accepting(serve) as port:
        yield f"http://127.0.0.1:{port}"


def answers_to(patch: pytest.MonkeyPatch, pieces: Pieces, *, times: int = 1, seconds: float = 1) -> list[object]:
    """Return what a client with this read timeout makes of these answers."""
    config = Config(connect_timeout=1, read_timeout=seconds, retries={"mode": "standard", "total_max_attempts": 1})
    with serving(pieces) as url:
        patch.setenv("AWS_ENDPOINT_URL", url)
        client = punctual_client("secretsmanager", config)
        return [attempt(lambda: client.get_secret_value(SecretId="pair")) for _ in range(times)]


DRIPPED: dict[str, Pieces] = {
    "the body": lambda: itertools.chain([HEAD], byte_by_byte(BODY)),
    "the body, in chunks": lambda: byte_by_byte(CHUNKED),
    "the head": lambda: itertools.chain(byte_by_byte(HEAD), [BODY]),
    "one header after another": lambda: itertools.chain(
        [HEAD[:-2]], slowly(b"X-%d: y\r\n" % number for number in range(40)), [b"\r\n", BODY]
    ),
    "100 Continue again and again": lambda: itertools.chain(
        slowly([b"HTTP/1.1 100 Continue\r\n\r\n"] * 40), [HEAD, BODY]
    ),
}


@pytest.mark.parametrize("pieces", DRIPPED.values(), ids=DRIPPED)
def test_a_dripping_answer_ends_at_the_timeout(pieces: Pieces, monkeypatch: pytest.MonkeyPatch) -> None:
    assert answers_to(monkeypatch, pieces) == [Fault("connection", "ReadTimeoutError")]


def test_each_answer_has_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def in_two_pieces() -> Iterator[bytes]:
        time.sleep(0.5)
        yield HEAD + BODY[:20]
        time.sleep(0.5)
        yield BODY[20:]

    answers = answers_to(monkeypatch, in_two_pieces, times=4, seconds=3)
    assert [answer["VersionId"] for answer in answers if isinstance(answer, dict)] == ["V1"] * 4


@pytest.mark.parametrize("head", [b"", b"X: "], ids=["body", "header"])
def test_an_endless_answer_is_given_up(head: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = itertools.chain([b"HTTP/1.1 200 OK\r\n" + (head or b"\r\n")], itertools.repeat(b"x" * 65_536))
    (answer,) = answers_to(monkeypatch, lambda: endless, seconds=60)
    assert isinstance(answer, Fault)
    assert answer.kind == "connection"


@pytest.mark.parametrize(("spare", "taken"), [(0, True), (-1, False)])
def test_the_longest_answer_is_4_mib(spare: int, monkeypatch: pytest.MonkeyPatch, *, taken: bool) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
    start, end = b'{"ARN": "', b'"}'
    size = MAX_BYTES - len(head % MAX_BYTES) - spare
    body = start + b"x" * (size - len(start) - len(end)) + end
    (answer,) = answers_to(monkeypatch, lambda: [head % len(body), body], seconds=60)
    assert (not isinstance(answer, Fault)) is taken

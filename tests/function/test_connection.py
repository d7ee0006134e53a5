"""One POST over a real socket: bounded in time and size, over checked TLS, through a proxy, on a kept connection."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from refresh_token.deadline import Deadline
from refresh_token.errors import ConfigurationException
from refresh_token.issuers import https_connection as module
from refresh_token.issuers.https_connection import HttpsConnection, NoReply, Reply
from refresh_token.issuers.tls import function_tls_context
from refresh_token.oauth.responses import MAX_BYTES
from tests.support.certificates import Authority
from tests.support.connect_proxy import proxy
from tests.support.function_environment import NOBODY_LISTENS
from tests.support.token_server import Reply as Sent
from tests.support.token_server import TokenServer, accepting, http, issued, token_server

BODY = b"refresh_token=canary"
SOON = 2.0
"""Seconds for an exchange that shall run out of them."""


@pytest.fixture
def server() -> Iterator[TokenServer]:
    with token_server() as running:
        yield running


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "ours")


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """Trust that authority, as in an environment without a proxy."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    monkeypatch.setenv("NO_PROXY", "localhost")
    return authority


def post(url: str, seconds: float = 30.0, *, connection: HttpsConnection | None = None) -> Reply | NoReply:
    used = connection or HttpsConnection(url, function_tls_context() if url.startswith("https") else None)
    return used.post(BODY, {"X-Ours": "yes"}, deadline=Deadline.after(seconds), min_time=1.0)


def test_a_request_goes_out_as_it_is_and_its_reply_comes_back(server: TokenServer) -> None:
    server.answer(http(201, b"seen", Retry_After="5", WWW_Authenticate="Basic realm=x"))
    assert post(f"{server.url}/a/b?c=d") == Reply(201, b"seen", retry_after="5", challenge="Basic realm=x")
    (seen,) = server.seen
    assert (seen.line, seen.body) == ("POST /a/b?c=d HTTP/1.1", BODY)
    assert seen.headers["X-Ours"] == "yes"
    assert seen.headers["Host"] == f"127.0.0.1:{server.port}"


def test_an_address_without_a_path_has_one(server: TokenServer) -> None:
    post(server.url)
    assert server.seen[0].line == "POST / HTTP/1.1"


# --- what comes back ------------------------------------------------------------------------------------------------

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ENDLESS = b"HTTP/1.1 200 OK\r\n\r\n"

WHOLE: dict[str, tuple[Sent, bytes]] = {
    "with a length": (http(200, b"x" * 100), b"x" * 100),
    "in chunks": (Sent(CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), b"abcde"),
    "until the server hangs up": (Sent(ENDLESS + b"abc", hang_up=True), b"abc"),
    "as long as it may be": (http(200, b"x" * MAX_BYTES), b"x" * MAX_BYTES),
    "after a 100": (Sent(b"HTTP/1.1 100 Continue\r\n\r\n" + http(200, b"x").raw), b"x"),
    "byte by byte, in time": (Sent(http(200, b"x").raw, pause=0.001), b"x"),
    "empty": (http(204), b""),
    "a head that ends too soon, and so no body": (Sent(b"HTTP/1.1 200 OK\r\nContent-Le", hang_up=True), b""),
}


@pytest.mark.parametrize(("sent", "body"), WHOLE.values(), ids=WHOLE)
def test_a_reply_is_whole(sent: Sent, body: bytes, server: TokenServer) -> None:
    server.answer(sent)
    reply = post(server.url)
    assert isinstance(reply, Reply)
    assert reply.body == body


TOO_LONG: dict[str, Sent] = {
    "by one byte": http(200, b"x" * (MAX_BYTES + 1)),
    "10 MB": http(200, b"x" * 10_000_000),
    "says that it is": Sent(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"),
    "in chunks": Sent(CHUNKED + (b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n") * 40, hang_up=True),
    "without an end": Sent(ENDLESS + b"x" * 10_000_000, hang_up=True),
    "gzip": http(200, b"\x1f\x8b", Content_Encoding="gzip"),
    "encoded twice": http(200, b"x", Content_Encoding="identity, br"),
}


@pytest.mark.parametrize("sent", TOO_LONG.values(), ids=TOO_LONG)
def test_what_is_too_long_or_compressed_is_not_read_and_its_connection_not_kept(
    sent: Sent, server: TokenServer
) -> None:
    server.answer(sent, issued())
    connection = HttpsConnection(server.url, None)
    assert post(server.url, connection=connection) == Reply(200, None)
    assert post(server.url, connection=connection) == Reply(200, issued().raw.partition(b"\r\n\r\n")[2])
    assert [seen.connection for seen in server.seen] == [1, 2]


CUT = http(200, b"x" * 100).raw[:-1]
BROKEN: dict[str, Sent] = {
    "hung up": Sent(hang_up=True),
    "reset": Sent(reset=True),
    "no HTTP": Sent(b"SSH-2.0-canary\r\n", hang_up=True),
    "half a body": Sent(CUT, hang_up=True),
    "half a body, then a reset": Sent(CUT, reset=True),
    "half a chunk": Sent(CHUNKED + b"5\r\nabc", hang_up=True),
    "no chunk": Sent(CHUNKED + b"canary\r\n", hang_up=True),
    "a header line without end": Sent(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", hang_up=True),
    "headers without end": Sent(b"HTTP/1.1 200 OK\r\n" + b"X: canary\r\n" * 1000 + b"\r\n", hang_up=True),
    "more than four megabytes of 100s": Sent(b"HTTP/1.1 100 Continue\r\n\r\n" * 200_000, hang_up=True),
}


@pytest.mark.parametrize("sent", BROKEN.values(), ids=BROKEN)
def test_a_broken_reply_is_lost_after_the_request_was_sent(sent: Sent, server: TokenServer) -> None:
    server.answer(sent)
    lost = post(server.url)
    assert isinstance(lost, NoReply)
    assert lost.sent
    assert "canary" not in repr(lost)
    assert len(server.seen) == 1


SLOW: dict[str, Sent] = {
    "says nothing": Sent(silent=60),
    "drips its head": Sent(http(200, b"x").raw, pause=0.2),
    "drips for ever": Sent(ENDLESS + b"x" * 1000, pause=0.1),
    "drips chunks": Sent(CHUNKED + b"1\r\nx\r\n" * 100, pause=0.1),
}


@pytest.mark.parametrize("sent", SLOW.values(), ids=SLOW)
@pytest.mark.parametrize("over", ["http", "https"])
def test_a_slow_reply_is_lost_when_the_time_is_over(
    over: str, sent: Sent, trusted: Authority, server: TokenServer
) -> None:
    with token_server(certificate=trusted.issue("localhost")) as secure:
        used = server if over == "http" else secure
        used.answer(sent)
        begun = time.monotonic()
        assert post(used.url, SOON) == NoReply("no answer in time", sent=True)
        assert time.monotonic() - begun >= SOON * 0.9, "it did wait"


def test_a_reply_has_ten_seconds_however_many_the_caller_has(
    server: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READ_TIMEOUT", 1.0)
    server.answer(Sent(silent=60))
    assert post(server.url, 3600) == NoReply("no answer in time", sent=True)


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 0.5])
def test_with_too_little_time_nothing_is_sent(seconds: float, server: TokenServer) -> None:
    lost = post(server.url, seconds)
    assert isinstance(lost, NoReply)
    assert not lost.sent
    assert server.seen == []


# --- the connection -------------------------------------------------------------------------------------------------


def test_a_connection_is_kept_for_the_next_request(server: TokenServer) -> None:
    connection = HttpsConnection(server.url, None)
    for _ in range(3):
        post(server.url, connection=connection)
    assert [seen.connection for seen in server.seen] == [1, 1, 1]


def test_a_connection_that_was_closed_is_made_anew_before_anything_is_sent(server: TokenServer) -> None:
    connection = HttpsConnection(server.url, None)
    server.answer(Sent(issued().raw, hang_up=True))
    for _ in range(3):
        assert isinstance(post(server.url, connection=connection), Reply)
        time.sleep(0.05)  # for the end of the connection to arrive
    assert [seen.connection for seen in server.seen] == [1, 2, 3]


@pytest.mark.parametrize("idle", [30.0, -1.0], ids=["too old", "the clock was set back"])
def test_a_connection_of_uncertain_age_is_made_anew(
    idle: float, server: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = HttpsConnection(server.url, None)
    post(server.url, connection=connection)
    later = time.time() + idle
    monkeypatch.setattr(module, "time", lambda: later)
    post(server.url, connection=connection)
    assert [seen.connection for seen in server.seen] == [1, 2]


def test_a_reply_that_ends_the_connection_ends_it(server: TokenServer) -> None:
    connection = HttpsConnection(server.url, None)
    server.answer(http(200, b"x", Connection="close"))
    for _ in range(2):
        post(server.url, connection=connection)
    assert [seen.connection for seen in server.seen] == [1, 2]


def test_nobody_listening_is_lost_and_was_not_sent() -> None:
    assert post(NOBODY_LISTENS) == NoReply("ConnectionRefusedError", sent=False)


def test_a_name_that_nobody_has_is_lost_and_was_not_sent() -> None:
    assert post("http://nobody.invalid") == NoReply("gaierror", sent=False)


def test_of_two_addresses_the_one_that_answers_is_taken(server: TokenServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a name that has an IPv6 address, on a network that has none."""
    here = socket.getaddrinfo("127.0.0.1", server.port, type=socket.SOCK_STREAM)
    dead = socket.getaddrinfo("127.0.0.1", 1, type=socket.SOCK_STREAM)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: dead + here)
    assert isinstance(post(server.url), Reply)


# --- TLS ------------------------------------------------------------------------------------------------------------


def test_a_certificate_that_is_right_is_taken_and_the_connection_kept(trusted: Authority) -> None:
    with token_server(certificate=trusted.issue("localhost")) as server:
        connection = HttpsConnection(server.url, function_tls_context())
        for _ in range(2):
            assert isinstance(post(server.url, connection=connection), Reply)
        assert [seen.connection for seen in server.seen] == [1, 1]


WRONG: dict[str, Callable[[Authority, Path], Path]] = {
    "expired": lambda ours, _: ours.issue("localhost", begins=timedelta(days=-2), ends=timedelta(days=-1)),
    "not yet valid": lambda ours, _: ours.issue("localhost", begins=timedelta(hours=12)),
    "another host": lambda ours, _: ours.issue("figma.example"),
    "an unknown authority": lambda _, folder: Authority(folder, "theirs").issue("localhost"),
}


@pytest.mark.parametrize("made", WRONG.values(), ids=WRONG)
def test_a_certificate_that_is_wrong_is_refused_before_anything_is_sent(
    made: Callable[[Authority, Path], Path], trusted: Authority, tmp_path: Path
) -> None:
    with token_server(certificate=made(trusted, tmp_path)) as server:
        assert post(server.url) == NoReply("its certificate is not accepted", sent=False, trusted=False)
        assert server.seen == []


def test_our_own_authority_is_not_trusted_unless_somebody_says_so(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "localhost")
    with token_server(certificate=authority.issue("localhost")) as server:
        lost = post(server.url)
        assert isinstance(lost, NoReply)
        assert not lost.trusted
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.bundle))
        assert isinstance(post(server.url), Reply), "OpenSSL's own variable"


def test_a_server_that_speaks_no_tls_is_lost_and_was_sent_nothing(trusted: Authority) -> None:
    assert trusted
    with accepting(lambda connection, _: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        lost = post(f"https://localhost:{port}")
    assert isinstance(lost, NoReply)
    assert not lost.sent


def test_a_handshake_that_does_not_end_is_lost(trusted: Authority) -> None:
    assert trusted

    def silent(connection: socket.socket, _: int) -> None:
        while connection.recv(4096):
            pass

    with accepting(silent) as port:
        assert post(f"https://localhost:{port}", SOON) == NoReply("no answer in time", sent=False)


def test_without_authorities_of_the_machine_botocores_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = ssl.DefaultVerifyPaths(None, None, "", "", "", "")  # type: ignore[arg-type]  # as it is documented
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nothing)
    assert function_tls_context().cert_store_stats()["x509_ca"] > 50


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_bundle_that_cannot_be_read_is_the_deployments_fault(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "bundle.pem"
    if content:
        file.write_text(content)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(file))
    with pytest.raises(ConfigurationException, match="AWS_CA_BUNDLE") as caught:
        function_tls_context()
    assert caught.value.__context__ is None


# --- proxy ----------------------------------------------------------------------------------------------------------


def test_a_proxy_makes_a_tunnel_that_it_cannot_look_into(trusted: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.delenv("NO_PROXY")
    with token_server(certificate=trusted.issue("localhost")) as server, accepting(proxy(asked)) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://some:one%21@127.0.0.1:{port}")
        connection = HttpsConnection(server.url, function_tls_context())
        for _ in range(2):
            assert isinstance(post(server.url, connection=connection), Reply)
        assert server.seen[0].headers["Host"] == f"localhost:{server.port}"
    (head,) = asked
    assert head.startswith(f"CONNECT localhost:{server.port} HTTP/1.1\r\nHost: localhost:{server.port}\r\n")
    assert "Proxy-Authorization: Basic c29tZTpvbmUh\r\n" in head  # some:one!


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 407 No\r\n\r\n", b"canary\r\n\r\n", b""], ids=["refused", "no HTTP", "hung up"]
)
def test_a_proxy_that_makes_no_tunnel_was_sent_nothing(
    answer: bytes, trusted: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.delenv("NO_PROXY")
    with token_server(certificate=trusted.issue("localhost")) as server, accepting(proxy(asked, answer)) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{port}")
        lost = post(server.url)
    assert isinstance(lost, NoReply)
    assert not lost.sent
    assert "canary" not in repr(lost)
    assert "Proxy-Authorization" not in asked[0]


def test_a_proxy_that_is_away_is_lost(trusted: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    assert trusted
    monkeypatch.delenv("NO_PROXY")
    assert post("https://localhost:1") == NoReply("ConnectionRefusedError", sent=False)


@pytest.mark.parametrize(
    "address", ["https://proxy:1", "socks5://canary", "http://", "http://proxy:canary", "http://p:0"]
)
def test_a_proxy_that_cannot_be_used_is_the_deployments_fault(
    address: str, trusted: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trusted
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("HTTPS_PROXY", address)
    with pytest.raises(ConfigurationException, match="HTTPS_PROXY") as caught:
        post("https://localhost:1")
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None


def test_plain_http_which_only_the_local_cloud_uses_goes_past_the_proxy(server: TokenServer) -> None:
    assert isinstance(post(server.url), Reply), "HTTPS_PROXY leads nowhere here"

"""One POST over a real socket: bounded in time and size, over checked TLS, through a proxy, on a kept connection."""

import gzip
import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import SSLError
from botocore.httpsession import URLLib3Session

from refresh_token.adapters.deadline import Deadline
from refresh_token.errors import ConfigurationException
from refresh_token.issuers import https_connection as module
from refresh_token.issuers.dialling import dial
from refresh_token.issuers.https_connection import HttpsConnection, NoReply, Reply
from refresh_token.issuers.tls import function_tls_context
from refresh_token.oauth.responses import MAX_BYTES
from tests.support.certificates import Authority
from tests.support.connect_proxy import proxy
from tests.support.function_environment import NOBODY_LISTENS
from tests.support.processes import PATIENCE
from tests.support.token_server import Reply as Sent
from tests.support.token_server import TokenServer, accepting, http, issued, token_server

BODY = b"refresh_token=canary"
Issue = Callable[[Authority, Path], Path]

SOON = 1.0
"""Seconds for an exchange that will run out of them."""


@pytest.fixture
def server() -> Iterator[TokenServer]:
    with token_server() as running:
        yield running


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """Trust that authority, as in an environment without a proxy."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    monkeypatch.setenv("NO_PROXY", "localhost")
    return authority


@pytest.fixture
def secure(trusted: Authority) -> Iterator[TokenServer]:
    with token_server(certificate=trusted.issue("localhost")) as running:
        yield running


def connect(url: str) -> HttpsConnection:
    return HttpsConnection(url, function_tls_context() if url.startswith("https") else None)


def post(to: str | HttpsConnection, seconds: float = 30.0, min_time: float = 0.1) -> Reply | NoReply:
    connection = connect(to) if isinstance(to, str) else to
    target = f"/{to.partition('://')[2].partition('/')[2]}" if isinstance(to, str) else "/"
    headers = {"X-Ours": "yes"}
    return connection.send("POST", target, BODY, headers, deadline=Deadline.after(seconds), min_time=min_time)


def assert_unsent(got: Reply | NoReply) -> None:
    assert isinstance(got, NoReply)
    assert not got.sent
    assert "canary" not in repr(got)


def test_request_and_reply_pass_unchanged(server: TokenServer) -> None:
    server.answer(http(201, b"seen", Retry_After="5", WWW_Authenticate="Basic realm=x"))
    assert post(f"{server.url}/a/b?c=d") == Reply(201, b"seen", retry_after="5", challenge="Basic realm=x")
    post(server.url)
    first, second = server.seen
    assert (first.line, first.body) == ("POST /a/b?c=d HTTP/1.1", BODY)
    assert (first.headers["X-Ours"], first.headers["Host"]) == ("yes", f"127.0.0.1:{server.port}")
    assert second.line == "POST / HTTP/1.1"


def test_all_challenges_are_returned(server: TokenServer) -> None:
    two = b"WWW-Authenticate: Bearer\r\nWWW-Authenticate: Basic realm=x\r\n"
    server.answer(Sent(raw=b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n" + two + b"\r\n"))
    assert post(server.url) == Reply(401, b"", challenge="Bearer, Basic realm=x")


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ENDLESS = b"HTTP/1.1 200 OK\r\n\r\n"

ZIP, OK = gzip.compress(b"x"), b"HTTP/1.1 200 OK\r\n"
WHOLE: dict[str, tuple[Sent, bytes]] = {
    "with a length": (http(200, b"x" * 100), b"x" * 100),
    "in chunks": (Sent(raw=CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), b"abcde"),
    "in chunks with extensions and trailers": (
        Sent(raw=CHUNKED + b'3;a=b\r\nabc\r\n0002 ; c="d"\r\nde\r\n0;e\r\nX: y\r\nZ: z\r\n\r\n'),
        b"abcde",
    ),
    "with folded headers": (Sent(raw=OK + b"X: a\r\n b\r\nContent-Length:\r\n\t1\r\n\r\nx"), b"x"),
    "in chunks, said with a blank": (Sent(raw=OK + b"Transfer-Encoding: Chunked \r\n\r\n1\r\nx\r\n0\r\n\r\n"), b"x"),
    "in compressed chunks": (
        Sent(raw=OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(ZIP), ZIP)),
        b"x",
    ),
    "with 150 cookies": (Sent(raw=OK + b"" + b"Set-Cookie: a=b\r\n" * 150 + b"Content-Length: 1\r\n\r\nx"), b"x"),
    "until the server hangs up": (Sent(raw=ENDLESS + b"abc", hang_up=True), b"abc"),
    "as long as it may be": (http(200, b"x" * MAX_BYTES), b"x" * MAX_BYTES),
    "after a 100": (Sent(raw=b"HTTP/1.1 100 Continue\r\n\r\n" + http(200, b"x").wire), b"x"),
    "after a 102 and a 103": (
        Sent(raw=b"HTTP/1.1 102 P\r\n\r\nHTTP/1.1 103 E\r\n" + b"Link: x\r\n" * 120 + b"\r\n" + http(200, b"x").wire),
        b"x",
    ),
    "byte by byte, in time": (Sent(raw=http(200, b"x").wire, pause=0.001), b"x"),
    "empty": (http(204), b""),
    "a head that ends too soon, and so no body": (Sent(raw=OK + b"Content-Le", hang_up=True), b""),
}
TOO_LONG: dict[str, Sent] = {
    "by one byte": http(200, b"x" * (MAX_BYTES + 1)),
    "10 MB": http(200, b"x" * 10_000_000),
    "says that it is": Sent(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"),
    "in chunks": Sent(raw=CHUNKED + (b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n") * 40, hang_up=True),
    "without an end": Sent(raw=ENDLESS + b"x" * 10_000_000, hang_up=True),
    "when decompressed": http(200, gzip.compress(b"x" * (MAX_BYTES + 1)), Content_Encoding="gzip"),
}
OBJECT = b'{"a": 1}'
CUT_OFF: dict[str, Sent] = {
    "by a hang-up": Sent(raw=http(200, OBJECT, Content_Length="99").wire, hang_up=True),
    "by a reset": Sent(raw=CHUNKED + b"8\r\n" + OBJECT, reset=True),
    "by the time": Sent(raw=CHUNKED + b"8\r\n" + OBJECT + b"\r\n"),
    "in gzip": Sent(
        raw=http(200, gzip.compress(OBJECT), Content_Length="99", Content_Encoding="gzip").wire, hang_up=True
    ),
}
CUT = http(200, b"x" * 100).wire[:-1]
BROKEN: dict[str, Sent] = {
    "hung up": Sent(hang_up=True),
    "reset": Sent(reset=True),
    "no HTTP": Sent(raw=b"SSH-2.0-canary\r\n", hang_up=True),
    "half a body": Sent(raw=CUT, hang_up=True),
    "half a body, then a reset": Sent(raw=CUT, reset=True),
    "half a chunk": Sent(raw=CHUNKED + b"5\r\nabc", hang_up=True),
    "no chunk": Sent(raw=CHUNKED + b"canary\r\n", hang_up=True),
    "a header line without end": Sent(raw=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", hang_up=True),
    "headers without end": Sent(raw=b"HTTP/1.1 200 OK\r\n" + b"X: canary\r\n" * 1001 + b"\r\n", hang_up=True),
    "more than four megabytes of 100s": Sent(raw=b"HTTP/1.1 100 Continue\r\n\r\n" * 200_000, hang_up=True),
}
SILENT, DRIPPING = Sent(silent=60), Sent(raw=ENDLESS + b"x" * 1000, pause=0.1)
SLOW: dict[str, tuple[str, Sent]] = {
    "says nothing": ("server", SILENT),
    "drips its head": ("server", Sent(raw=http(200, b"x").wire, pause=0.2)),
    "drips for ever": ("server", DRIPPING),
    "drips chunks": ("server", Sent(raw=CHUNKED + b"1\r\nx\r\n" * 100, pause=0.1)),
    "says nothing over TLS": ("secure", SILENT),
    "drips over TLS": ("secure", DRIPPING),
}


class TestReply:
    """A reply counts only if it is complete, within the size limit and in time."""

    @pytest.mark.parametrize(("sent", "body"), WHOLE.values(), ids=WHOLE)
    def test_is_complete(self, sent: Sent, body: bytes, server: TokenServer) -> None:
        server.answer(sent)
        reply = post(server.url)
        assert isinstance(reply, Reply)
        assert reply.body == body

    @pytest.mark.parametrize("sent", TOO_LONG.values(), ids=TOO_LONG)
    def test_is_not_too_long(self, sent: Sent, server: TokenServer) -> None:
        server.answer(sent, issued())
        connection = connect(server.url)
        assert post(connection) == Reply(200, None)
        assert post(connection) == Reply(200, issued().body)
        assert [seen.connection for seen in server.seen] == [1, 2], "what was not read closes the connection"

    @pytest.mark.parametrize("sent", CUT_OFF.values(), ids=CUT_OFF)
    def test_is_taken_if_its_object_is_complete(self, sent: Sent, server: TokenServer) -> None:
        server.answer(sent, issued())
        connection = connect(server.url)
        assert post(connection, SOON) == Reply(200, OBJECT)
        post(connection)
        assert [seen.connection for seen in server.seen] == [1, 2], "what was cut off closes the connection"

    @pytest.mark.parametrize("sent", BROKEN.values(), ids=BROKEN)
    def test_broken_ones_may_be_acted_upon(self, sent: Sent, server: TokenServer) -> None:
        server.answer(sent)
        lost = post(server.url)
        assert isinstance(lost, NoReply)
        assert lost.sent
        assert "canary" not in repr(lost)
        assert len(server.seen) == 1

    @pytest.mark.parametrize(("fixture", "sent"), SLOW.values(), ids=SLOW)
    def test_comes_in_time(self, fixture: str, sent: Sent, request: pytest.FixtureRequest) -> None:
        slow: TokenServer = request.getfixturevalue(fixture)
        slow.answer(sent)
        begun = time.monotonic()
        assert post(slow.url, SOON) == NoReply("no answer in time", sent=True)
        assert time.monotonic() - begun >= SOON * 0.9, "it did wait"

    def test_has_its_own_timeout(self, server: TokenServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "READ_TIMEOUT", 0.5)
        server.answer(SILENT)
        assert post(server.url, 3600) == NoReply("no answer in time", sent=True)

    @pytest.mark.parametrize("seconds", [-1.0, 0.0, 0.5])
    def test_needs_enough_time(self, seconds: float, server: TokenServer) -> None:
        assert_unsent(post(server.url, seconds, min_time=1.0))
        assert server.seen == []


class TestKeptConnection:
    """A connection is used again while the server certainly keeps it open."""

    def test_serves_the_next_request(self, server: TokenServer, secure: TokenServer) -> None:
        for kept in (server, secure):
            connection = connect(kept.url)
            assert all(isinstance(post(connection), Reply) for _ in range(3))
            assert [seen.connection for seen in kept.seen] == [1, 1, 1]

    def test_closed_ones_are_replaced_unused(self, server: TokenServer) -> None:
        connection = connect(server.url)
        server.answer(Sent(raw=issued().wire, hang_up=True))
        for _ in range(3):
            assert isinstance(post(connection), Reply)
            assert connection._kept
            assert select.select([connection._kept[0].sock], [], [], PATIENCE)[0], "the end of the connection arrives"
        assert [seen.connection for seen in server.seen] == [1, 2, 3]

    @pytest.mark.parametrize("idle", [30.0, -1.0], ids=["too old", "the clock was set back"])
    def test_old_ones_are_replaced(self, idle: float, server: TokenServer, monkeypatch: pytest.MonkeyPatch) -> None:
        connection = connect(server.url)
        post(connection)
        later = time.time() + idle
        monkeypatch.setattr(module, "time", lambda: later)
        post(connection)
        assert [seen.connection for seen in server.seen] == [1, 2]

    def test_the_server_may_end_it(self, server: TokenServer) -> None:
        connection = connect(server.url)
        server.answer(http(200, b"x", Connection="close"))
        for _ in range(2):
            post(connection)
        assert [seen.connection for seen in server.seen] == [1, 2]


class TestDialling:
    """Without a connection nothing was sent."""

    @pytest.mark.parametrize(
        ("url", "what"), [(NOBODY_LISTENS, "ConnectionRefusedError"), ("http://nobody.invalid", "gaierror")]
    )
    def test_nobody_there(self, url: str, what: str) -> None:
        assert post(url) == NoReply(what, sent=False)

    def test_the_next_address_is_tried(self, server: TokenServer, monkeypatch: pytest.MonkeyPatch) -> None:
        """Like a host with an IPv6 address on a network without IPv6."""
        here = socket.getaddrinfo("127.0.0.1", server.port, type=socket.SOCK_STREAM)
        dead = socket.getaddrinfo("127.0.0.1", 1, type=socket.SOCK_STREAM)
        no_sockets = [(9999, socket.SOCK_STREAM, 0, "", ("::1", server.port, 0, 0))]  # on a machine without IPv6
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: no_sockets + dead + here)
        assert isinstance(post(server.url), Reply)

    AUTHORITIES = (
        ("https://localhost", "localhost"),
        ("https://localhost:443/x?y=z", "localhost"),
        ("https://localhost:80", "localhost:80"),
        ("https://LOCALHOST:8443", "localhost:8443"),
        ("https://localhost./x", "localhost."),
        ("http://localhost", "localhost"),
        ("http://localhost:80", "localhost"),
        ("http://localhost:443", "localhost:443"),
        ("http://[::1]:8080", "[::1]:8080"),
        ("http://[::1]", "[::1]"),
    )

    @pytest.mark.parametrize(("url", "host"), AUTHORITIES)
    def test_the_host_is_the_addresss_authority(
        self, url: str, host: str, server: TokenServer, secure: TokenServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = secure if url.startswith("https") else server
        for name in ("dial", "dial_through_proxy"):
            monkeypatch.setattr(module, name, lambda _host, _port, deadline: dial("127.0.0.1", asked.port, deadline))
        assert isinstance(post(url), Reply)
        assert [seen.headers["Host"] for seen in asked.seen] == [host]


WRONG: dict[str, Issue] = {
    "expired": lambda ours, _: ours.issue("localhost", begins=timedelta(days=-2), ends=timedelta(days=-1)),
    "not yet valid": lambda ours, _: ours.issue("localhost", begins=timedelta(hours=12)),
    "another host": lambda ours, _: ours.issue("figma.example"),
    "an unknown authority": lambda _, folder: Authority(folder, "theirs").issue("localhost"),
}

RIGHT: dict[str, Issue] = {
    "complete": lambda ours, _: ours.issue("localhost"),
    "without its authority's identifier": lambda ours, _: ours.issue("localhost", names_authority=False),
}


def silent(connection: socket.socket, _: int) -> None:
    while connection.recv(4096):
        pass


class TestTls:
    """Certificates are always checked, before anything is sent."""

    @pytest.mark.parametrize("made", [*WRONG.values(), *RIGHT.values()], ids=[*WRONG, *RIGHT])
    def test_the_verdict_is_botocores(self, made: Issue, trusted: Authority, tmp_path: Path) -> None:
        with token_server(certificate=made(trusted, tmp_path)) as server:
            request = AWSRequest("POST", server.url, data=BODY).prepare()
            try:
                session = URLLib3Session(verify=str(trusted.bundle))  # type: ignore[arg-type]  # botocore's own use
                taken = session.send(request).status_code == 200
            except SSLError:
                taken = False
            assert taken is (made in RIGHT.values())
            server.seen.clear()
            got = post(server.url)
            assert taken or got == NoReply("its certificate is not trusted", sent=False, trusted=False)
            assert (isinstance(got, Reply), len(server.seen)) == (taken, taken)

    def test_an_authority_must_be_named(self, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NO_PROXY", "localhost")
        with token_server(certificate=authority.issue("localhost")) as server:
            lost = post(server.url)
            assert isinstance(lost, NoReply)
            assert not lost.trusted
            monkeypatch.setenv("SSL_CERT_FILE", str(authority.bundle))
            assert isinstance(post(server.url), Reply), "OpenSSL's own variable"

    @pytest.mark.usefixtures("trusted")
    def test_a_server_without_it_gets_nothing(self) -> None:
        with accepting(lambda connection, _: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
            assert_unsent(post(f"https://localhost:{port}"))

    @pytest.mark.usefixtures("trusted")
    def test_a_handshake_ends_in_time(self) -> None:
        with accepting(silent) as port:
            assert post(f"https://localhost:{port}", SOON) == NoReply("no answer in time", sent=False)

    def test_botocores_authorities_are_the_last_resort(self, monkeypatch: pytest.MonkeyPatch) -> None:
        nothing = ssl.DefaultVerifyPaths(None, None, "", "", "", "")  # type: ignore[arg-type]  # as it is documented
        monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nothing)
        assert function_tls_context().cert_store_stats()["x509_ca"] > 50

    @pytest.mark.parametrize("content", [None, "no certificate"])
    def test_a_bad_bundle_is_named(self, content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = tmp_path / "bundle.pem"
        if content:
            file.write_text(content)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(file))
        with pytest.raises(ConfigurationException, match="AWS_CA_BUNDLE") as caught:
            function_tls_context()
        assert caught.value.__context__ is None


class TestProxy:
    """HTTPS_PROXY makes a tunnel, and sees nothing of what goes through."""

    @pytest.mark.parametrize("status", [b"200 Connection established", b"299 Whatever\r\nContent-Length: 7"])
    def test_tunnels_a_connection(self, status: bytes, secure: TokenServer, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []
        monkeypatch.delenv("NO_PROXY")
        with accepting(proxy(asked, established=status)) as port:
            monkeypatch.setenv("HTTPS_PROXY", f"http://some:one%21@127.0.0.1:{port}")
            connection = connect(secure.url)
            assert all(isinstance(post(connection), Reply) for _ in range(2))
        host = f"localhost:{secure.port}"
        assert secure.seen[0].headers["Host"] == host
        (head,) = asked
        assert head.startswith(f"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n")
        assert "Proxy-Authorization: Basic c29tZTpvbmUh\r\n" in head  # some:one!

    REFUSALS = (b"HTTP/1.1 407 No\r\n\r\n", b"canary\r\n\r\n", b"")

    @pytest.mark.parametrize("answer", REFUSALS, ids=["refused", "no HTTP", "hung up"])
    def test_no_tunnel_sends_nothing(self, answer: bytes, secure: TokenServer, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []
        monkeypatch.delenv("NO_PROXY")
        with accepting(proxy(asked, answer)) as port:
            monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{port}")
            assert_unsent(post(secure.url))
        assert "Proxy-Authorization" not in asked[0]
        assert secure.seen == []

    def test_one_that_is_away(self) -> None:
        assert post("https://localhost:1") == NoReply("ConnectionRefusedError", sent=False)

    WRONG = ("https://proxy:1", "socks5://canary", "http://", "http://proxy:canary", "http://p:0", "http://[canary")

    @pytest.mark.parametrize("address", WRONG)
    def test_wrong_ones_are_misconfigured(self, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTPS_PROXY", address)
        with pytest.raises(ConfigurationException, match="HTTPS_PROXY") as caught:
            post("https://localhost:1")
        assert "canary" not in str(caught.value)
        assert caught.value.__context__ is None

    @pytest.mark.parametrize("form", ["localhost:{}", ".LOCALHOST", "x.example, localhost:{}", "*"])
    def test_a_host_may_go_past_it(self, form: str, secure: TokenServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NO_PROXY", form.format(secure.port))
        assert isinstance(post(secure.url), Reply)

    def test_plain_http_goes_past_it(self, server: TokenServer) -> None:
        assert isinstance(post(server.url), Reply), "HTTPS_PROXY leads nowhere here"

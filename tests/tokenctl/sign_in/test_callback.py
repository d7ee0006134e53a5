"""The callback server over real HTTP: which page each request gets, and that exactly one response counts."""

import re
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from urllib.parse import urlencode

import pytest
import urllib3

from tokenctl.sign_in import pages
from tokenctl.sign_in.authorization_response import AuthorizationResponse, Outcome, read_response
from tokenctl.sign_in.callback_app import CallbackApp
from tokenctl.sign_in.callback_server import CallbackServer
from tokenctl.sign_in.page import Page

STATE = "the-state-of-this-sign-in"
CODE = "the-code-of-this-sign-in"
ANSWER = {"code": CODE, "state": STATE}
PATIENCE = 20.0
DONE = Page(title="Done", paragraphs=("All <went> well.",), facts={"Stack": "A&B"})

Get = Callable[..., urllib3.BaseHTTPResponse]
Tab = Callable[..., Future[urllib3.BaseHTTPResponse]]


@pytest.fixture
def server() -> Iterator[CallbackServer]:
    with CallbackServer(0) as reserved:
        yield reserved


@pytest.fixture
def app(server: CallbackServer) -> Iterator[CallbackApp]:
    with server.serving(partial(read_response, state=STATE)) as serving:
        yield serving


@pytest.fixture
def get(server: CallbackServer) -> Get:
    def ask(
        query: dict[str, str] | str, *, path: str = "/callback", method: str = "GET", host: str | None = None
    ) -> urllib3.BaseHTTPResponse:
        text = query if isinstance(query, str) else urlencode(query)
        headers = {"Host": host.replace("PORT", str(server.port))} if host is not None else None
        url = f"http://127.0.0.1:{server.port}{path}?{text}"
        return urllib3.request(method, url, headers=headers, retries=False, redirect=False, timeout=PATIENCE)

    return ask


@pytest.fixture
def tab(get: Get) -> Iterator[Tab]:
    """Send a request as `get` does, in the background."""
    with ThreadPoolExecutor() as pool:
        yield lambda *query, **more: pool.submit(get, *query, **more)


def idle(_left: float) -> None:
    """Do nothing while the command waits."""


def response(app: CallbackApp) -> AuthorizationResponse:
    received = app.wait_for_response(PATIENCE, idle)
    assert received is not None
    return received


def nothing_arrived(app: CallbackApp) -> bool:
    return app.wait_for_response(0.01, idle) is None


class TestTheResponse:
    @pytest.mark.parametrize("host", ["127.0.0.1:PORT", "localhost:PORT", "LOCALHOST:PORT"])
    def test_gets_the_terminals_page(self, app: CallbackApp, tab: Tab, host: str) -> None:
        shown = tab(ANSWER, host=host)
        assert response(app) == AuthorizationResponse(outcome=Outcome.ALLOWED, code=CODE)
        assert not shown.done()
        app.show(DONE)
        assert shown.result().status == 200
        assert "All &lt;went&gt; well." in shown.result().data.decode()
        assert "<dd>A&amp;B</dd>" in shown.result().data.decode()

    def test_a_second_one_is_ignored(self, app: CallbackApp, get: Get, tab: Tab) -> None:
        shown = tab(ANSWER)
        first = response(app)
        assert [get(ANSWER).status, get(ANSWER | {"code": "other"}).status] == [409, 409]
        assert get({"error": "access_denied", "state": STATE}).status == 409
        app.show(DONE)
        assert shown.result().status == 200
        assert get(ANSWER).status == 409
        assert get("").status == 409  # the last page, reloaded
        assert response(app) == first
        assert app.forged == 0

    def test_one_of_many_at_once_counts(self, app: CallbackApp, tab: Tab) -> None:
        tabs = [tab(ANSWER | {"code": f"code-{number}"}) for number in range(5)]
        response(app)
        app.show(DONE)
        assert sorted(tab.result().status for tab in tabs) == [200, 409, 409, 409, 409]

    def test_a_browser_that_left_delays_nothing(self, app: CallbackApp, server: CallbackServer) -> None:
        with socket.create_connection(("127.0.0.1", server.port)) as tab:
            request = f"GET /callback?{urlencode(ANSWER)} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n"
            tab.sendall(request.encode())
            response(app)
        app.show(DONE)
        app.show(pages.ENDED)  # and a second page changes nothing
        assert response(app).code == CODE


FORGED = {
    "no state": f"code={CODE}",
    "state twice": f"code={CODE}&state={STATE}&state={STATE}",
    "denied in our name": "error=access_denied&state=guessed",
    "not UTF-8": "state=%ff%fe",
}


class TestOtherRequests:
    @pytest.mark.parametrize("query", FORGED.values(), ids=FORGED)
    def test_a_forged_redirect_does_not_end_the_wait(self, app: CallbackApp, get: Get, tab: Tab, query: str) -> None:
        assert get(query).status == 400
        assert nothing_arrived(app)
        assert app.forged == 1
        shown = tab(ANSWER)
        assert response(app).code == CODE
        app.show(DONE)
        assert shown.result().status == 200

    @pytest.mark.parametrize(
        ("wrong", "values", "status"),
        [
            ("path", ["/", "/callback/", "/callback/x", "/favicon.ico", "/CALLBACK"], 404),
            ("method", ["HEAD", "POST", "PUT", "OPTIONS"], 405),
            ("host", ["evil.example", "evil.example:PORT", "127.0.0.1.evil.example:PORT"], 421),  # DNS rebinding
            ("host", ["127.0.0.1", "127.0.0.1:1", ""], 421),
        ],
    )
    def test_others_are_refused(self, app: CallbackApp, get: Get, wrong: str, values: list[str], status: int) -> None:
        for value in values:
            answer = get(ANSWER, **{wrong: value})
            assert (answer.status, answer.headers.get("Allow")) == (status, "GET" if wrong == "method" else None)
            assert nothing_arrived(app)

    def test_nothing_is_repeated_or_logged(
        self, app: CallbackApp, get: Get, tab: Tab, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG", logger="werkzeug")
        secret = "fd3a-" + CODE
        bodies = [
            get({"code": secret, "state": secret}).data,
            get(ANSWER | {"code": secret}, path=f"/{secret}").data,
            get(ANSWER | {"code": secret}, host=f"{secret}.example").data,
            get(ANSWER | {"code": secret}, method="POST").data,
        ]
        shown = tab(ANSWER | {"code": secret})
        response(app)
        bodies.append(get(ANSWER | {"code": secret}).data)
        app.show(DONE)
        bodies.append(shown.result().data)
        text = b"".join(bodies).decode()
        assert secret not in text
        assert STATE not in text
        assert capfd.readouterr() == ("", "")
        assert [record for record in caplog.records if record.name == "werkzeug"] == []


class TestThePort:
    @pytest.mark.usefixtures("app")
    def test_listens_on_127_0_0_1_only(self, server: CallbackServer) -> None:
        # All of 127.0.0.0/8 reaches this machine: a server on every interface would answer there.
        with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
            probe.connect(("127.0.0.2", server.port))

    def test_nobody_listens_after_the_block(self, server: CallbackServer) -> None:
        with server, server.serving(partial(read_response, state=STATE)):
            pass
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", server.port)) != 0


class TestPages:
    @pytest.mark.parametrize("path", ["/callback", "/elsewhere"])
    @pytest.mark.usefixtures("app")
    def test_headers_forbid_loading_keeping_and_referring(self, get: Get, path: str) -> None:
        headers = get("", path=path).headers
        policy = headers["Content-Security-Policy"]
        assert policy.split(";")[0] == "default-src 'none'"
        assert "unsafe" not in policy
        assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "no-store")

    @pytest.mark.parametrize(
        "page",
        [
            DONE,
            pages.stored({"Stack": "RefreshToken-dev"}),
            pages.failed("Why"),
            pages.failed("Why", denied=True),
            *(pages.FORGED, pages.REPLAYED, pages.ENDED, pages.NOT_FOUND, pages.NOT_ALLOWED, pages.MISDIRECTED),
        ],
        ids=lambda page: page.title,
    )
    def test_the_html_loads_nothing(self, page: Page) -> None:
        html = page.html()
        assert re.findall(r'(?:src|href|action|url)\s*[=(]\s*"?([^")]*)', html) == ["data:,"]
        assert re.findall(r"https?://", html) == []

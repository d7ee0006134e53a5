"""The loopback port: who is answered what, over real HTTP, and that one redirect counts once."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from urllib.parse import urlencode

import pytest
import urllib3

from tokenctl.errors import ConfigurationError
from tokenctl.sign_in import pages
from tokenctl.sign_in.loopback import Loopback
from tokenctl.sign_in.reception import Reception
from tokenctl.sign_in.redirect import Kind, Redirect

STATE = "the-state-of-this-sign-in"
CODE = "the-code-of-this-sign-in"
ANSWER = {"code": CODE, "state": STATE}
PATIENCE = 20.0
DONE = pages.Page(title="Done", paragraphs=("All <went> well.",), facts={"Stack": "A&B"})

Get = Callable[..., urllib3.BaseHTTPResponse]


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    with Loopback(0) as taken:
        yield taken


@pytest.fixture
def reception(loopback: Loopback) -> Iterator[Reception]:
    with loopback.serving(STATE) as serving:
        yield serving


@pytest.fixture
def browser() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


@pytest.fixture
def get(loopback: Loopback) -> Get:
    def ask(
        query: dict[str, str] | str, *, path: str = "/callback", method: str = "GET", host: str | None = None
    ) -> urllib3.BaseHTTPResponse:
        text = query if isinstance(query, str) else urlencode(query)
        headers = {"Host": host.replace("PORT", str(loopback.port))} if host is not None else None
        url = f"http://127.0.0.1:{loopback.port}{path}?{text}"
        return urllib3.request(method, url, headers=headers, retries=False, redirect=False, timeout=PATIENCE)

    return ask


def expected(reception: Reception) -> Redirect:
    redirect = reception.redirect(PATIENCE)
    assert redirect is not None
    return redirect


def test_the_browser_gets_the_page_that_the_terminal_decides_on(
    reception: Reception, get: Get, browser: ThreadPoolExecutor
) -> None:
    shown = browser.submit(get, ANSWER)
    assert expected(reception) == Redirect(kind=Kind.ALLOWED, code=CODE)
    assert not shown.done()
    reception.answer(DONE)
    assert shown.result().status == 200
    assert "All &lt;went&gt; well." in shown.result().data.decode()
    assert "<dd>A&amp;B</dd>" in shown.result().data.decode()


@pytest.mark.parametrize("name", ["Content-Security-Policy", "Referrer-Policy", "Cache-Control"])
@pytest.mark.parametrize("path", ["/callback", "/elsewhere"])
@pytest.mark.usefixtures("reception")
def test_every_page_forbids_loading_keeping_and_passing_on(get: Get, name: str, path: str) -> None:
    headers = get("", path=path).headers
    rules = {
        "Content-Security-Policy": "default-src 'none'",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    assert headers[name].split(";")[0] == rules[name]
    assert "unsafe" not in headers["Content-Security-Policy"]


FORGED = {
    "no state": f"code={CODE}",
    "other state": f"code={CODE}&state=guessed",
    "state twice": f"code={CODE}&state={STATE}&state={STATE}",
    "denied in our name": "error=access_denied&state=guessed",
    "nothing": "",
    "not UTF-8": "state=%ff%fe",
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_redirect_is_refused_and_does_not_end_the_waiting(
    reception: Reception, get: Get, browser: ThreadPoolExecutor, name: str
) -> None:
    assert get(FORGED[name]).status == 400
    assert reception.redirect(0.01) is None
    assert reception.forged == 1
    shown = browser.submit(get, ANSWER)
    assert expected(reception).code == CODE
    reception.answer(DONE)
    assert shown.result().status == 200


def test_a_second_redirect_is_told_so_while_the_first_waits_and_after_it(
    reception: Reception, get: Get, browser: ThreadPoolExecutor
) -> None:
    shown = browser.submit(get, ANSWER)
    first = expected(reception)
    assert [get(ANSWER).status, get(ANSWER | {"code": "other"}).status] == [409, 409]
    assert get({"error": "access_denied", "state": STATE}).status == 409
    reception.answer(DONE)
    assert shown.result().status == 200
    assert get(ANSWER).status == 409
    assert get("").status == 409  # the last page, loaded again
    assert reception.redirect(PATIENCE) == first
    assert reception.forged == 0


def test_of_many_redirects_at_once_one_counts(reception: Reception, get: Get, browser: ThreadPoolExecutor) -> None:
    start = threading.Barrier(5)

    def tab(number: int) -> int:
        start.wait()
        return get(ANSWER | {"code": f"code-{number}"}).status

    tabs: list[Future[int]] = [browser.submit(tab, number) for number in range(5)]
    expected(reception)
    reception.answer(DONE)
    assert sorted(tab.result() for tab in tabs) == [200, 409, 409, 409, 409]


@pytest.mark.parametrize("path", ["/", "/callback/", "/callback/x", "/favicon.ico", "/CALLBACK"])
def test_other_paths_are_not_found_and_take_no_answer(reception: Reception, get: Get, path: str) -> None:
    assert get(ANSWER, path=path).status == 404
    assert reception.redirect(0.01) is None


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "OPTIONS"])
def test_other_methods_are_refused_and_take_no_answer(reception: Reception, get: Get, method: str) -> None:
    response = get(ANSWER, method=method)
    assert (response.status, response.headers["Allow"]) == (405, "GET")
    assert reception.redirect(0.01) is None


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:PORT", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example:PORT", ""]
)
def test_a_name_that_was_pointed_at_this_machine_gets_nothing(reception: Reception, get: Get, host: str) -> None:
    assert get(ANSWER, host=host).status == 421
    assert reception.redirect(0.01) is None


@pytest.mark.parametrize("host", ["127.0.0.1:PORT", "localhost:PORT", "LOCALHOST:PORT"])
def test_both_names_of_the_loopback_interface_are_answered(
    reception: Reception, get: Get, browser: ThreadPoolExecutor, host: str
) -> None:
    shown = browser.submit(get, ANSWER, host=host)
    assert expected(reception).code == CODE
    reception.answer(DONE)
    assert shown.result().status == 200


@pytest.mark.usefixtures("reception")
def test_only_the_loopback_interface_listens(loopback: Loopback) -> None:
    # The whole of 127.0.0.0/8 reaches this machine; a server on every interface would answer there.
    with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
        probe.connect(("127.0.0.2", loopback.port))


def test_a_port_that_is_taken_is_a_clear_error(loopback: Loopback) -> None:
    with pytest.raises(ConfigurationError, match=f"Port {loopback.port} of 127.0.0.1 cannot be used: .* --port"):
        Loopback(loopback.port)


def test_a_browser_that_still_waits_when_the_command_ends_is_told(
    loopback: Loopback, get: Get, browser: ThreadPoolExecutor
) -> None:
    with loopback.serving(STATE) as serving:
        shown = browser.submit(get, ANSWER)
        expected(serving)
    assert shown.result().status == 503


def test_nobody_listens_after_the_block(loopback: Loopback) -> None:
    with loopback, loopback.serving(STATE):
        pass
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", loopback.port)) != 0


def test_a_browser_that_goes_away_does_not_keep_the_terminal(reception: Reception, loopback: Loopback) -> None:
    with socket.create_connection(("127.0.0.1", loopback.port)) as tab:
        request = f"GET /callback?{urlencode(ANSWER)} HTTP/1.1\r\nHost: 127.0.0.1:{loopback.port}\r\n\r\n"
        tab.sendall(request.encode())
        expected(reception)
    reception.answer(DONE)
    reception.answer(pages.ENDED)  # and a second page changes nothing
    assert expected(reception).code == CODE


def test_nothing_of_a_request_is_repeated_or_logged(
    reception: Reception,
    get: Get,
    browser: ThreadPoolExecutor,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG", logger="werkzeug")
    secret = "fd3a-" + CODE
    bodies = [
        get({"code": secret, "state": secret}).data,
        get(ANSWER | {"code": secret}, path=f"/{secret}").data,
        get(ANSWER | {"code": secret}, host=f"{secret}.example").data,
        get(ANSWER | {"code": secret}, method="POST").data,
    ]
    shown = browser.submit(get, ANSWER | {"code": secret})
    expected(reception)
    bodies.append(get(ANSWER | {"code": secret}).data)
    reception.answer(DONE)
    bodies.append(shown.result().data)
    text = b"".join(bodies).decode()
    assert secret not in text
    assert STATE not in text
    assert capfd.readouterr() == ("", "")
    assert [record for record in caplog.records if record.name == "werkzeug"] == []


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
def test_pages_load_nothing(page: pages.Page) -> None:
    html = page.html()
    assert re.findall(r'(?:src|href|action|url)\s*[=(]\s*"?([^")]*)', html) == ["data:,"]
    assert re.findall(r"https?://", html) == []

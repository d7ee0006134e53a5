"""Takes one redirect, as a WSGI application: the browser's request waits until the terminal knows what to show.

    browser             request's thread                 main thread
    GET /callback ----> judged, taken once ------------> redirect()
                        waits                            exchanges the code, stores the pair
    page <------------- <------------------------------- answer(page)

A redirect with another state is answered and forgotten: were it to end the waiting, any web page could end a sign-in.
"""

import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import TYPE_CHECKING, Final

from werkzeug import Request, Response

from tokenctl.sign_in import pages
from tokenctl.sign_in.consent import CALLBACK, LOOPBACK_HOSTS
from tokenctl.sign_in.redirect import Kind, Redirect, judge

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

POLL_SECONDS: Final = 0.5
"""A wait without an end cannot be interrupted on Windows."""

DELIVERY_SECONDS: Final = 5.0
"""How long the browser may take to fetch the last page."""


class Reception:
    """Waits for the answer to the question that was asked with `state`, at `port` of the loopback interface."""

    def __init__(self, *, state: str, port: int) -> None:
        self._state = state
        self._hosts = {f"{host}:{port}" for host in LOOPBACK_HOSTS}
        self._lock = threading.Lock()
        self._redirect: Future[Redirect] = Future()
        self._page: Future[pages.Page] = Future()
        self._delivered = threading.Event()
        self.forged = 0
        """Redirects so far that were not the answer to our question."""

    @property
    def answered(self) -> bool:
        """Tell whether the answer has come."""
        return self._redirect.done()

    def redirect(self, seconds: float) -> Redirect | None:
        """Return the answer, or None when none comes in time."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                return self._redirect.result(min(left, POLL_SECONDS))
            except NotYet:
                pass
        return None

    def answer(self, page: pages.Page) -> None:
        """Show a page to the browser that brought the answer, if one did. Only the first page counts."""
        with self._lock:
            if self._page.done():
                return
            self._page.set_result(page)
            waiting = self._redirect.done()
        if waiting:
            self._delivered.wait(DELIVERY_SECONDS)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        return self._respond(Request(environ))(environ, start_response)

    def _respond(self, request: Request) -> Response:
        # A page elsewhere can point a name of its own at 127.0.0.1 and read what we say to that name (DNS rebinding).
        if request.headers.get("Host", "").lower() not in self._hosts:
            return _response(pages.MISDIRECTED)
        if request.path != CALLBACK:
            return _response(pages.NOT_FOUND)
        if request.method != "GET":
            return _response(pages.NOT_ALLOWED, allow="GET")
        if self.answered and not request.args:
            return _response(pages.REPLAYED)  # the last page was loaded again; its script has taken the query away
        redirect = judge(dict(request.args.lists()), state=self._state)
        if not self._is_first(redirect):
            return _response(pages.FORGED if redirect.kind is Kind.FORGED else pages.REPLAYED)
        response = _response(self._page.result())
        response.call_on_close(self._delivered.set)
        return response

    def _is_first(self, redirect: Redirect) -> bool:
        """Take the first redirect that answers our question, and no other."""
        with self._lock:
            if redirect.kind is Kind.FORGED:
                self.forged += 1
                return False
            if self._redirect.done():
                return False
            self._redirect.set_result(redirect)
            return True


def _response(page: pages.Page, *, allow: str | None = None) -> Response:
    headers = {**pages.HEADERS, **({"Allow": allow} if allow else {})}
    return Response(page.html(), page.status, headers, content_type="text/html; charset=utf-8")

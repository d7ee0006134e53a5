"""The WSGI application at the redirect address. It holds the browser's request until the terminal knows what to show.

    browser             request's thread                 main thread
    GET /callback ----> reads it, accepts one ---------> wait_for_response()
                        waits                            exchanges the code, stores the pair
    page <------------- <------------------------------- show(page)

A redirect with another state is answered and ignored. If it ended the wait, any web page could end a sign-in.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import TYPE_CHECKING, Final

from werkzeug import Request, Response

from tokenctl.sign_in import pages
from tokenctl.sign_in.authorization_request import CALLBACK_PATH, LOOPBACK_HOSTS
from tokenctl.sign_in.authorization_response import AuthorizationResponse, Outcome
from tokenctl.sign_in.page import HEADERS, Page

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

POLL_SECONDS: Final = 0.5
"""How long one wait takes. On Windows, Ctrl-C cannot interrupt a wait without a timeout."""

DELIVERY_SECONDS: Final = 5.0
"""How long the browser may take to fetch the last page."""

Read = Callable[[Mapping[str, Sequence[str]]], AuthorizationResponse]


class CallbackApp:
    """Waits for the response to an authorization request, at `port` of the loopback interface.

    `read` tells what the parameters of a redirect mean for that request.
    """

    def __init__(self, *, read: Read, port: int) -> None:
        self._read = read
        self._hosts = {f"{host}:{port}" for host in LOOPBACK_HOSTS}
        self._lock = threading.Lock()
        self._response: Future[AuthorizationResponse] = Future()
        self._page: Future[Page] = Future()
        self._delivered = threading.Event()
        self.forged = 0
        """How many redirects did not belong to our request."""

    @property
    def has_response(self) -> bool:
        """Whether the response has arrived."""
        return self._response.done()

    def wait_for_response(self, seconds: float, meanwhile: Callable[[float], None]) -> AuthorizationResponse | None:
        """Return the response, or None if none arrives in time. Calls `meanwhile` with the seconds that are left."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            meanwhile(left)
            try:
                return self._response.result(min(left, POLL_SECONDS))
            except NotYet:
                pass
        return None

    def give(self, response: AuthorizationResponse) -> None:
        """Take a response that no browser brings, so that none waits for the last page. The first response counts."""
        with self._lock:
            if not self._response.done():
                self._delivered.set()
                self._response.set_result(response)

    def show(self, page: Page) -> None:
        """Show a page in the browser that brought the response, if one did. Only the first page counts."""
        with self._lock:
            if self._page.done():
                return
            self._page.set_result(page)
            browser_waits = self._response.done()
        if browser_waits:
            self._delivered.wait(DELIVERY_SECONDS)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve one request."""
        return self._serve(Request(environ))(environ, start_response)

    def _serve(self, request: Request) -> Response:
        # Another site can point its own name at 127.0.0.1 and read what we answer to that name (DNS rebinding).
        if request.headers.get("Host", "").lower() not in self._hosts:
            return _http_response(pages.MISDIRECTED)
        if request.path != CALLBACK_PATH:
            return _http_response(pages.NOT_FOUND)
        if request.method != "GET":
            return _http_response(pages.NOT_ALLOWED, allow="GET")
        if self.has_response and not request.args:
            return _http_response(pages.REPLAYED)  # the last page was reloaded; its script has removed the query
        response = self._read(dict(request.args.lists()))
        if not self._accept(response):
            return _http_response(pages.FORGED if response.outcome is Outcome.FORGED else pages.REPLAYED)
        last_page = _http_response(self._page.result())
        last_page.call_on_close(self._delivered.set)
        return last_page

    def _accept(self, response: AuthorizationResponse) -> bool:
        """Accept the first response to our request, and no other."""
        with self._lock:
            if response.outcome is Outcome.FORGED:
                self.forged += 1
                return False
            if self._response.done():
                return False
            self._response.set_result(response)
            return True


def _http_response(page: Page, *, allow: str | None = None) -> Response:
    headers = {**HEADERS, **({"Allow": allow} if allow else {})}
    return Response(page.html(), page.status, headers, content_type="text/html; charset=utf-8")

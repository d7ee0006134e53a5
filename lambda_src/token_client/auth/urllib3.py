"""A pool manager's ``request`` with a token, for urllib3 (1.26 or 2), which has no auth hooks."""

import copy
from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin

from urllib3 import PoolManager, Retry
from urllib3._collections import HTTPHeaderDict  # urllib3 itself exports it from 2.0 on
from urllib3.exceptions import UnrewindableBodyError
from urllib3.util import parse_url
from urllib3.util.request import rewind_body, set_file_position

from token_client.auth.evidence import Evidence, evidence_of
from token_client.auth.further_headers import headers_for
from token_client.auth.rejections import REJECTED, Rejections, Trial
from token_client.auth.timeouts import seconds_of
from token_client.errors import TokenClientError
from token_client.source import TokenSource
from token_client.tokens import Token

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class TokenPool:
    """Sends requests with a token: ``TokenPool(client).request("GET", url)``. Uses `pool`, or a new one.

    Retries once with another token if the API rejects one (`rejected_statuses`). Only `hosts` get the token; by default
    every host over https, and loopback addresses over http. A generator's body cannot be sent
    again, so the pool reports the rejection and returns the answer as it is. On a redirect to another host urllib3
    drops the token, and the pool ignores that host's rejection. urllib3's own retries leave rejections to the pool.
    """

    def __init__(
        self,
        source: TokenSource,
        pool: PoolManager | None = None,
        *,
        rejected_statuses: Collection[int] = REJECTED,
        hosts: Collection[str] | None = None,
    ) -> None:
        self._rejections = Rejections(source, statuses=rejected_statuses, hosts=hosts)
        self._pool = pool or PoolManager()

    def request(self, method: str, url: str, **options: Any) -> "BaseHTTPResponse":  # noqa: ANN401 - urllib3's own
        """Send a request. Takes the options of ``PoolManager.request``.

        Raises:
            TokenClientError: no token is available within the request's timeout.
            HTTPError: urllib3 raised it.

        """
        address = parse_url(url)
        if not self._rejections.hosts.allow(address.scheme or "http", address.host, address.port):
            return self._pool.request(method, url, **options)
        body = options.get("body")
        position = set_file_position(body, None)
        trial = self._rejections.begin(self._seconds(options))
        response = self._send(method, url, trial, options)
        while not self._left_host(url, response):
            can_repeat = partial(_can_repeat, method, response, body, position)
            try:
                if not trial.should_repeat(response.status, _evidence(trial, response, options), can_repeat=can_repeat):
                    break
            except TokenClientError:
                response.close()
                raise
            response.drain_conn()
            response = self._send(method, url, trial, options)
        return response

    def _send(self, method: str, url: str, trial: Trial, options: dict[str, Any]) -> "BaseHTTPResponse":
        given = options.get("headers")
        headers = _SignedHeaders(self._pool.headers if given is None else given)
        headers.sign(trial.token)
        retries = self._retries(options, frozenset(map(str.lower, headers.signed)))
        return self._pool.request(method, url, **{**options, "headers": headers, "retries": retries})

    def _retries(self, options: dict[str, Any], signed: frozenset[str]) -> Retry:
        """Return the caller's retries without those that repeat a rejected token or take it to another host."""
        given = options.get("retries")
        if given is None:
            given = self._pool.connection_pool_kw.get("retries")
        retries = _guarded(Retry.from_int(given, redirect=options.get("redirect", True)), signed)
        retries.status_forcelist = frozenset(retries.status_forcelist or ()) - self._rejections.statuses
        return retries

    def _seconds(self, options: dict[str, Any]) -> float | None:
        return seconds_of(options.get("timeout", self._pool.connection_pool_kw.get("timeout")))

    def _left_host(self, url: str, response: "BaseHTTPResponse") -> bool:
        """Whether a redirect led to another host, where the token was not sent."""
        first, here = self._pool.connection_from_url(url), url
        for hop in response.retries.history if response.retries else ():
            here = urljoin(here, hop.redirect_location or "")
            if not first.is_same_host(here):
                return True
        return False


class _SignedHeaders(HTTPHeaderDict):
    """A request's headers with the token. Debuggers and error trackers, which show local variables, don't show it."""

    signed: Collection[str] = ()
    """The names of the token's headers."""

    def sign(self, token: Token) -> None:
        """Add the headers of a token. Further headers of the caller's own stay."""
        self.signed = headers_for(token, self)
        for name, value in self.signed.items():
            self[name] = value

    def __repr__(self) -> str:
        signed = {name.lower() for name in self.signed}
        return repr({name: value for name, value in self.items() if name.lower() not in signed})


class _Guard(Retry):
    """A mixin for the caller's class of retries, whose own methods may forget what is to be removed on a redirect."""

    signed: frozenset[str] = frozenset()

    def increment(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - urllib3's own
        return _guarded(super().increment(*arguments, **options), self.signed)


def _guarded(retries: Retry, signed: frozenset[str]) -> Retry:
    """Return the same retries, which take no header of the token to another host; ``signed`` is in lower case."""
    guarded: Any = copy.copy(retries)
    kind = type(retries)
    if not issubclass(kind, _Guard):
        guarded.__class__ = type(kind.__name__, (_Guard,) if kind is Retry else (_Guard, kind), {})
    guarded.signed = signed
    guarded.remove_headers_on_redirect = frozenset({*retries.remove_headers_on_redirect, *signed})
    return guarded  # type: ignore[no-any-return]  # it is one of the caller's class


def _evidence(trial: Trial, response: "BaseHTTPResponse", options: dict[str, Any]) -> Evidence:
    """Return what the answer says about the token. An unread body is the caller's to read."""
    is_read = trial.is_rejection(response.status) and options.get("preload_content", True)
    return evidence_of(response.headers.getlist("WWW-Authenticate"), response.data if is_read else b"")


def _can_repeat(method: str, response: "BaseHTTPResponse", body: object, position: Any) -> bool:  # noqa: ANN401 - an opaque value of urllib3
    """Whether the request can be sent again from its start without harm, even after redirects."""
    redirected = response.retries is not None and any(hop.redirect_location for hop in response.retries.history)
    return (not redirected or method.upper() in _SAFE) and _rewind(body, position)


def _rewind(body: object, position: Any) -> bool:  # noqa: ANN401 - urllib3's own
    """Put a file back to its start. Return whether the body can be sent again: none, in memory, or a rewound file."""
    if body is None or isinstance(body, str | bytes | bytearray | memoryview):
        return True
    try:
        rewind_body(body, position)  # type: ignore[arg-type] # it rejects anything but a file
    except (UnrewindableBodyError, ValueError):
        return False
    return True

"""Sends one request to a token endpoint, or one about a token, with urllib3, which botocore uses as well.

It checks certificates, follows no redirect, sends nothing twice, and reads no more than MAX_BYTES. The whole request
has a time limit: urllib3 limits only single reads, which a server can draw out, and not the resolution of the name.
"""

import ssl
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from refresh_token.oauth.addresses import host_and_port
from refresh_token.oauth.body import members
from refresh_token.oauth.content_coding import decoded
from refresh_token.oauth.final_response import FinalResponse
from refresh_token.oauth.requests import TokenRequest
from refresh_token.oauth.responses import MAX_BYTES, TokenResponse
from refresh_token.oauth.trust import https_proxy, tls_context
from tokenctl.errors import ConfigurationError, ServiceError, TokenctlError
from tokenctl.stack.debug_log import LOG

if TYPE_CHECKING:
    import urllib3

NO_API: Final[Mapping[str, Any]] = {}
CONNECT_SECONDS: Final = 5.0


@dataclass(frozen=True, kw_only=True)
class _Request:
    """What is sent, within which time, and where, in words for a message."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    seconds: float
    place: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer whose body is decoded."""

    status: int
    body: bytes | None = field(repr=False)
    content_type: str | None
    challenge: str = field(repr=False)
    """The headers ``WWW-Authenticate``, with commas between them."""
    scopes: str = ""
    """The header ``X-OAuth-Scopes``, in which GitHub, Slack and others say what the token may do."""

    @property
    def redirects(self) -> bool:
        """Whether it leads elsewhere; nothing here follows."""
        return HTTPStatus.MULTIPLE_CHOICES <= self.status < HTTPStatus.BAD_REQUEST

    @property
    def response(self) -> TokenResponse:
        """The answer with the members of its body."""
        return TokenResponse(self.status, members(self.body, self.content_type) or {}, self.challenge)


def send(
    request: TokenRequest, *, bundle: str | None, seconds: float, place: str = "its token endpoint"
) -> TokenResponse:
    """Send a request to a token endpoint, or to another `place`, and return the answer within `seconds`.

    `bundle` is a file of certificates to trust.

    Raises:
        TokenctlError: the server cannot be reached, or does not answer in time.
        ServiceError: the server redirects.
        ConfigurationError: the certificates or the proxy of the configuration cannot be used.

    """
    answer = _exchange(
        _Request(
            method=request.method,
            url=request.address,
            headers=request.all_headers("tokenctl"),
            body=request.body,
            seconds=seconds,
            place=place,
        ),
        bundle,
    )
    if answer.redirects:
        raise ServiceError(
            f"The issuer's answer makes no sense: HTTP {answer.status}, a redirect, which is not followed. Check the "
            f"address of {place}."
        )
    return answer.response


def get(
    url: str, access_token: str | None, *, bundle: str | None, seconds: float, api: Mapping[str, Any] = NO_API
) -> Answer:
    """Ask for a page, with an access token or without; raises as `send`, but returns a redirect as any other answer.

    `api` says how the provider's API is called, where that is not the usual way (`core.values.Api`).
    """
    headers = {"Accept": "application/json", "User-Agent": "tokenctl", **api.get("headers", {})}
    if access_token is not None:
        headers[api.get("header", "Authorization")] = f"{api.get('scheme', 'Bearer')} {access_token}".strip()
    return _exchange(_Request(method="GET", url=url, headers=headers, seconds=seconds, place="the page"), bundle)


def _exchange(request: _Request, bundle: str | None) -> Answer:
    address = urlsplit(request.url)
    LOG.debug("%s request to %s://%s", request.method, address.scheme, address.netloc)
    start = time.monotonic()
    with _pool(request.url, bundle) as pool:
        # A daemon thread, because nothing else can abandon the resolution of a name that takes too long.
        outcome: Future[Answer] = Future()
        threading.Thread(target=_fulfil, args=(outcome, pool, request), name="token request", daemon=True).start()
        try:
            answer = outcome.result(request.seconds)
        except TimeoutError:
            raise _unreachable("no answer in time", request.place) from None
    LOG.debug("%s request: HTTP %d in %.2f s", request.method, answer.status, time.monotonic() - start)
    return answer


def _fulfil(outcome: Future[Answer], pool: "urllib3.PoolManager", request: _Request) -> None:
    try:
        outcome.set_result(_send(pool, request))
    except TokenctlError as error:
        outcome.set_exception(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, its text may hold the request
        outcome.set_exception(_unreachable(type(error).__name__, request.place))


def _send(pool: "urllib3.PoolManager", request: _Request) -> Answer:
    import urllib3

    try:
        connections = pool.connection_from_url(request.url)
        connections.ConnectionCls = type("_Connection", (connections.ConnectionCls,), {"response_class": FinalResponse})
        response = pool.request(
            request.method,
            request.url,
            body=request.body,
            headers=request.headers,
            redirect=False,
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=request.seconds),
            preload_content=False,
            enforce_content_length=False,  # an answer that is cut off counts if its object is complete
        )
        with response:
            body = response.read(MAX_BYTES + 1, decode_content=False)
    except urllib3.exceptions.HTTPError as error:
        cause = error.args[0] if isinstance(error, urllib3.exceptions.SSLError) and error.args else error
    else:
        headers = response.headers
        return Answer(
            status=response.status,
            body=decoded(body, headers.get("Content-Encoding"), max_bytes=MAX_BYTES),
            content_type=headers.get("Content-Type"),
            challenge=headers.get("WWW-Authenticate", ""),
            scopes=headers.get("X-OAuth-Scopes", ""),
        )
    if isinstance(cause, ssl.SSLCertVerificationError):
        raise TokenctlError(
            "The issuer's certificate is not trusted, so nothing was sent to it. Check the address of "
            f"{request.place}; name a certificate to trust with --ca-bundle."
        )
    raise _unreachable(type(cause).__name__, request.place)


def _pool(url: str, bundle: str | None) -> "urllib3.PoolManager":
    """Return a connection pool: direct for http, and for https through the proxy that HTTPS_PROXY names, if any."""
    import urllib3

    address = urlsplit(url)
    if address.scheme == "http":
        return urllib3.PoolManager()
    context = _tls_context(bundle)
    try:
        proxy = https_proxy(address.hostname or "", address.port or 443, getproxies(), proxy_bypass)
        if proxy is None:
            return urllib3.PoolManager(ssl_context=context)
        proxy_url = f"{proxy.scheme}://{host_and_port(proxy.host, proxy.port)}"
        return urllib3.ProxyManager(proxy_url, proxy_headers=proxy.headers, ssl_context=context)
    except (ValueError, urllib3.exceptions.HTTPError):
        pass
    raise ConfigurationError(
        "HTTPS_PROXY names no proxy that can be used. Give an address such as http://<host>:<port>."
    )


def _tls_context(bundle: str | None) -> ssl.SSLContext:
    from botocore.httpsession import where

    try:
        return tls_context(bundle, where)
    except (OSError, ValueError):
        pass
    raise ConfigurationError(
        "The certificates to trust cannot be read. Check --ca-bundle, AWS_CA_BUNDLE and the profile's `ca_bundle`."
    )


def _unreachable(what: str, place: str) -> TokenctlError:
    return TokenctlError(
        f"The issuer could not be reached ({what}). Check the network, HTTPS_PROXY and the address of {place}."
    )

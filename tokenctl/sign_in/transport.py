"""Sends one request to a token endpoint, or one about a token, with urllib3, which botocore uses as well.

It checks certificates, follows no redirect, sends nothing twice, and reads no more than MAX_BYTES. The whole request
has a time limit: urllib3 limits only single reads, which a server can draw out, and not the resolution of the name.
"""

import ssl
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
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

CONNECT_SECONDS: Final = 5.0


def post(url: str, request: TokenRequest, *, bundle: str | None, seconds: float) -> TokenResponse:
    """Send a request and return the answer within `seconds`; `bundle` is a file of certificates to trust.

    Raises:
        TokenctlError: the server cannot be reached, or does not answer in time.
        ServiceError: the server redirects.
        ConfigurationError: the certificates or the proxy of the configuration cannot be used.

    """
    address = urlsplit(url)
    LOG.debug("token request to %s://%s", address.scheme, address.netloc)
    start = time.monotonic()
    with _pool(url, bundle) as pool:
        # A daemon thread, because nothing else can abandon the resolution of a name that takes too long.
        outcome: Future[TokenResponse] = Future()
        threading.Thread(
            target=_fulfil, args=(outcome, pool, url, request, seconds), name="token request", daemon=True
        ).start()
        try:
            response = outcome.result(seconds)
        except TimeoutError:
            raise _unreachable("no answer in time") from None
    LOG.debug("token request: HTTP %d in %.2f s", response.status, time.monotonic() - start)
    if HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST:
        raise ServiceError(
            f"The issuer's answer makes no sense: HTTP {response.status}, a redirect, which is not followed. Check the "
            "address of its token endpoint."
        )
    return response


def get(url: str, access_token: str, *, bundle: str | None, seconds: float) -> Mapping[str, object]:
    """Return the JSON object at an address, asked with an access token; empty if there is none in time."""
    import urllib3

    headers = {"Authorization": f"Bearer {access_token}", "Accept": "application/json", "User-Agent": "tokenctl"}
    try:
        with (
            _pool(url, bundle) as pool,
            pool.request(
                "GET",
                url,
                headers=headers,
                redirect=False,
                retries=False,
                timeout=urllib3.Timeout(total=seconds),
                preload_content=False,
            ) as response,
        ):
            body = response.read(MAX_BYTES, decode_content=False)
    except (urllib3.exceptions.HTTPError, ConfigurationError, ValueError, OSError):
        return {}
    return members(body, response.headers.get("Content-Type")) or {} if response.status == HTTPStatus.OK else {}


def _fulfil(
    outcome: "Future[TokenResponse]", pool: "urllib3.PoolManager", url: str, request: TokenRequest, seconds: float
) -> None:
    try:
        outcome.set_result(_send(pool, url, request, seconds))
    except TokenctlError as error:
        outcome.set_exception(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, its text may hold the request
        outcome.set_exception(_unreachable(type(error).__name__))


def _send(pool: "urllib3.PoolManager", url: str, request: TokenRequest, seconds: float) -> TokenResponse:
    import urllib3

    try:
        connections = pool.connection_from_url(url)
        connections.ConnectionCls = type("_Connection", (connections.ConnectionCls,), {"response_class": FinalResponse})
        response = pool.request(
            "POST",
            url,
            body=request.body,
            headers=request.all_headers("tokenctl"),
            redirect=False,
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=seconds),
            preload_content=False,
            enforce_content_length=False,  # an answer that is cut off counts if its object is complete
        )
        with response:
            body = response.read(MAX_BYTES + 1, decode_content=False)
    except urllib3.exceptions.HTTPError as error:
        cause = error.args[0] if isinstance(error, urllib3.exceptions.SSLError) and error.args else error
    else:
        headers = response.headers
        content = decoded(body, headers.get("Content-Encoding"), max_bytes=MAX_BYTES)
        document = members(content, headers.get("Content-Type")) or {}
        return TokenResponse(response.status, document, headers.get("WWW-Authenticate", ""))
    if isinstance(cause, ssl.SSLCertVerificationError):
        raise TokenctlError(
            "The issuer's certificate is not trusted, so nothing was sent to it. Check the address of its token "
            "endpoint; name a certificate to trust with --ca-bundle."
        )
    raise _unreachable(type(cause).__name__)


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


def _unreachable(what: str) -> TokenctlError:
    return TokenctlError(
        f"The issuer could not be reached ({what}). Check the network, HTTPS_PROXY and the address of its token "
        "endpoint."
    )

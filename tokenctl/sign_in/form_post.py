"""One form to a token endpoint, and its JSON answer (RFC 6749, 3.2), with urllib3, on which botocore stands, too.

Certificates are checked, no redirect is followed, nothing is sent twice, the answer is no longer than MOST_BYTES, and
all of it takes no longer than it may: urllib3 times single reads only, which a server can draw out, and resolving the
name not at all.
"""

import json
import ssl
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

from tokenctl.errors import ConfigurationError, ServiceError, TokenctlError
from tokenctl.stack.debug_log import LOG

if TYPE_CHECKING:
    import urllib3

CONNECT_SECONDS: Final = 5.0
MOST_BYTES: Final = 64 * 1024
"""An answer is some hundred bytes long."""

_HEADERS: Final = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "Content-Type": "application/x-www-form-urlencoded",
    "User-Agent": "tokenctl",
}


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back; `document` is None where the body is no JSON object of a sensible size."""

    status: int
    document: Mapping[str, object] | None = field(repr=False)


def post(url: str, form: Mapping[str, str], headers: Mapping[str, str], *, bundle: str | None, seconds: float) -> Reply:
    """Post a form and return the reply, within `seconds`; `bundle` is a file of certificates in place of the usual.

    Raises:
        TokenctlError: the server cannot be reached, or does not answer in time.
        ServiceError: it redirects.
        ConfigurationError: certificates, or the proxy, cannot be used as they are configured.

    """
    address = urlsplit(url)
    LOG.debug("token request to %s://%s", address.scheme, address.netloc)
    began = time.monotonic()
    with _pool(url, bundle) as pool:
        # In a thread, which ends with the process: a name that resolves slowly cannot be given up otherwise.
        outcome: Future[Reply] = Future()
        threading.Thread(
            target=_fulfil,
            args=(outcome, pool, url, urlencode(form).encode(), {**_HEADERS, **headers}, seconds),
            name="token request",
            daemon=True,
        ).start()
        try:
            reply = outcome.result(seconds)
        except TimeoutError:
            raise _unreachable("no answer in time") from None
    LOG.debug("token request: HTTP %d in %.2f s", reply.status, time.monotonic() - began)
    if HTTPStatus.MULTIPLE_CHOICES <= reply.status < HTTPStatus.BAD_REQUEST:
        raise ServiceError(
            f"The issuer's answer makes no sense: HTTP {reply.status}, a redirect, which is not followed. Check the "
            "address of its token endpoint."
        )
    return reply


def _fulfil(  # noqa: PLR0913, PLR0917 - a thread's arguments
    outcome: "Future[Reply]",
    pool: "urllib3.PoolManager",
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    seconds: float,
) -> None:
    try:
        outcome.set_result(_sent(pool, url, body, headers, seconds))
    except TokenctlError as error:
        outcome.set_exception(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, its text may hold what was sent
        outcome.set_exception(_unreachable(type(error).__name__))


def _sent(pool: "urllib3.PoolManager", url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> Reply:
    import urllib3

    timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=seconds)
    try:
        response = pool.request(
            "POST",
            url,
            body=body,
            headers=headers,
            redirect=False,
            retries=False,
            timeout=timeout,
            preload_content=False,
        )
        with response:
            plain = response.headers.get("Content-Encoding", "identity").lower() == "identity"  # as we asked for
            raw = response.read(MOST_BYTES + 1, decode_content=False)
            document = _document(raw) if plain and len(raw) <= MOST_BYTES else None
            return Reply(status=response.status, document=document)
    except urllib3.exceptions.HTTPError as error:
        cause = error.args[0] if isinstance(error, urllib3.exceptions.SSLError) and error.args else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        raise TokenctlError(
            "The issuer's certificate is not accepted, so nothing was sent to it. Check the address of its token "
            "endpoint; name a certificate to trust with --ca-bundle."
        )
    raise _unreachable(type(cause).__name__)


def _pool(url: str, bundle: str | None) -> "urllib3.PoolManager":
    """Return what makes the connection: directly, or for https through the proxy that HTTPS_PROXY names."""
    import urllib3

    address = urlsplit(url)
    if address.scheme == "http":
        return urllib3.PoolManager()
    context = _context(bundle)
    host = address.hostname or ""
    proxy = None if proxy_bypass(host) else getproxies().get("https")
    if not proxy:
        return urllib3.PoolManager(ssl_context=context)
    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        if not parts.hostname:
            raise ValueError("no host")  # noqa: TRY301 - one of several ways to be wrong
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username is not None else None
        return urllib3.ProxyManager(
            parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(),
            proxy_headers=urllib3.make_headers(proxy_basic_auth=login),
            ssl_context=context,
        )
    except (ValueError, urllib3.exceptions.HTTPError):
        pass
    raise ConfigurationError(
        "HTTPS_PROXY names no proxy that can be used. Give an address such as http://<host>:<port>."
    )


def _context(bundle: str | None) -> ssl.SSLContext:
    from botocore.httpsession import where

    paths = ssl.get_default_verify_paths()
    known = bundle or (None if paths.cafile or paths.capath else where())
    try:
        return ssl.create_default_context(cafile=known)
    except (OSError, ValueError):
        pass
    raise ConfigurationError(
        "The certificates to trust cannot be read. Check --ca-bundle, AWS_CA_BUNDLE and `ca_bundle` of the profile."
    )


def _document(raw: bytes) -> Mapping[str, object] | None:
    """Read a body strictly: of two members of one name, another reader may take the other one."""
    try:
        found = json.loads(raw, object_pairs_hook=_members)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name twice")
    return members


def _unreachable(what: str) -> TokenctlError:
    return TokenctlError(
        f"The issuer could not be reached ({what}). Check the network, HTTPS_PROXY and the address of its token "
        "endpoint."
    )

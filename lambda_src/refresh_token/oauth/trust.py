"""Which certificates a connection trusts, and which proxy it uses. The environment comes in as arguments."""

import ssl
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from refresh_token.oauth.addresses import host_and_port


def tls_context(bundle: str | None, fallback: Callable[[], str]) -> ssl.SSLContext:
    """Return the context that checks a server's certificate.

    It trusts the file `bundle` if one is configured; else the machine's authorities, for which OpenSSL also reads
    SSL_CERT_FILE and SSL_CERT_DIR; else, on a machine without any, the file that `fallback` names. It accepts the same
    chains as botocore does with the same authorities.

    Raises:
        OSError, ValueError: the file holds no certificates, or cannot be read.

    """
    paths = ssl.get_default_verify_paths()
    if not bundle and paths.cafile is None and paths.capath is None:
        bundle = fallback()
    context = ssl.create_default_context(cafile=bundle or None)
    # botocore sets neither flag, and Python 3.13 sets both: a private authority that botocore takes may lack an
    # Authority Key Identifier, and one that botocore refuses may be only an intermediate.
    context.verify_flags &= ~(ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN)
    return context


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy that opens tunnels (RFC 9110, 9.3.6)."""

    scheme: str
    host: str
    port: int
    login: str | None = field(repr=False)
    """User and password, with a colon between them."""

    @property
    def headers(self) -> dict[str, str]:
        """The headers that the proxy wants for a tunnel."""
        if self.login is None:
            return {}
        return {"Proxy-Authorization": f"Basic {b64encode(self.login.encode()).decode()}"}


def https_proxy(host: str, port: int, proxies: Mapping[str, str], bypassed: Callable[[str], bool]) -> Proxy | None:
    """Return the proxy for https to a host, None if there is none.

    `proxies` and `bypassed` are `getproxies()` and `proxy_bypass` of urllib.request, which read HTTPS_PROXY and
    NO_PROXY. NO_PROXY may name the port as well.

    Raises:
        ValueError: the proxy's address cannot be used. The message does not show it.

    """
    address = None if bypassed(host) or bypassed(host_and_port(host, port)) else proxies.get("https")
    if not address:
        return None
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        own_port = parts.port
    except ValueError:
        parts, own_port = urlsplit(""), None
    if not parts.hostname or own_port == 0:
        raise ValueError("no usable host and port")
    login = None if parts.username is None else f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return Proxy(
        scheme=parts.scheme,
        host=parts.hostname,
        port=own_port or (443 if parts.scheme == "https" else 80),
        login=login,
    )

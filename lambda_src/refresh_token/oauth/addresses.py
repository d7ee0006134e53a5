"""Which addresses a setting may hold."""

from typing import Final
from urllib.parse import urlsplit

HTTPS: Final = ("https",)
HTTPS_OR_HTTP: Final = ("https", "http")


def is_url(url: str, schemes: tuple[str, ...], *, query: bool = False) -> bool:
    """Tell whether `url` is absolute, has one of the schemes, and holds no login, no fragment and no odd character.

    With `query` it may have a query.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    extras = parts.username is not None or "#" in url or ("?" in url and not query)
    plain = url.isascii() and url.isprintable() and not set(url) & set(' \\"<>')
    host = parts.hostname or ""
    # A percent sign begins the zone of an IPv6 address, which only one machine knows.
    return parts.scheme in schemes and host != "" and "%" not in host and port != 0 and plain and not extras


def url_rule(schemes: tuple[str, ...], *, query: bool = False) -> str:
    """Return the rule of `is_url` in words, to follow the name of a setting."""
    extras = "user or fragment" if query else "user, query or fragment"
    return f"must be an address with {' or '.join(schemes)}, without {extras}"


def authority(address: str) -> str:
    """Return the address's authority in lower case, without the scheme's own port (RFC 9110, 7.2 and 4.2.3)."""
    url = urlsplit(address)
    default = {"https": 443, "http": 80}[url.scheme]
    return host_and_port(str(url.hostname), None if url.port == default else url.port)


def host_and_port(host: str, port: int | None) -> str:
    """Return an authority; an IPv6 address gets its brackets."""
    bracketed = f"[{host}]" if ":" in host else host
    return bracketed if port is None else f"{bracketed}:{port}"

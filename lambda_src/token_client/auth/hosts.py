"""Which addresses an adapter sends the token to."""

import logging
from collections.abc import Collection
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from token_client.errors import ClientConfigurationException

LOGGER: Final = logging.getLogger("token_client")


class Hosts:
    """The hosts that get the token, over https: those in `hosts`, or all if that is None. Over http only loopback.

    A host stands for all its ports, and ``host:8443`` for one. ``http://host`` allows unencrypted requests as well.

    Raises:
        ClientConfigurationException: an entry is not a host.

    """

    def __init__(self, hosts: Collection[str] | None) -> None:
        given = (hosts,) if isinstance(hosts, str) else hosts
        self._entries = None if given is None else frozenset(map(_entry, given))
        self._noted: set[str] = set()

    def allow(self, scheme: str, host: str | None, port: int | None) -> bool:
        """Whether a request to this address gets the token. Logs the first request to a host that does not get it."""
        name = _normal(host or "")
        is_safe = scheme == "https" or _is_loopback(name)
        if self._entries is None:
            is_allowed = is_safe
        else:
            number = port or {"https": 443, "http": 80}.get(scheme)
            listed = {(kind, name, each) for kind in ("http", "any") for each in (None, number)} & self._entries
            is_allowed = bool(listed) and (is_safe or any(kind == "http" for kind, *_ in listed))
        if not is_allowed and name not in self._noted:
            self._noted.add(name)
            LOGGER.warning(
                "A request to %s over %s goes out without the token. Only https and loopback addresses get it, and "
                "only those in `hosts` if that is set.",
                name,
                scheme,
            )
        return is_allowed


def _entry(text: str) -> tuple[str, str, int | None]:
    """Return ("http" if that is allowed too, the host, the port if there is one)."""
    scheme, _, authority = str(text).rpartition("://")
    try:
        parts = urlsplit(f"//{authority}")
        host, port = _normal(parts.hostname or ""), parts.port
    except ValueError:
        host, port = "", None
    if not host or set(authority) & set("*/@?#\\ ") or scheme not in ("http", "https", ""):
        raise ClientConfigurationException(
            "An entry of hosts is not a host. Write it as api.figma.com, api.figma.com:8443 or http://internal:8080."
        )
    return "http" if scheme == "http" else "any", host, port


def _normal(host: str) -> str:
    return host.lower().strip("[]").removesuffix(".")


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False

"""Opening a socket to an issuer: directly, or through a proxy's tunnel."""

import socket
from http import HTTPStatus
from typing import Final
from urllib.request import getproxies, proxy_bypass

from refresh_token.adapters.deadline import Deadline
from refresh_token.adapters.whole_response import WholeResponse
from refresh_token.environment import wrong_environment
from refresh_token.oauth.addresses import host_and_port
from refresh_token.oauth.trust import Proxy, https_proxy

CONNECT_TIMEOUT: Final = 2.0
"""Seconds for one address, for a proxy's answer, and for the TLS handshake."""


def dial(host: str, port: int, deadline: Deadline) -> socket.socket:
    """Connect to the first address of a host that answers. Raises OSError if none does in time."""
    fault: OSError | None = None
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            sock = socket.socket(family, kind, protocol)
        except OSError as error:  # the machine may have no sockets for IPv6
            fault = error
            continue
        try:
            sock.settimeout(step_timeout(deadline))
            sock.connect(address)
        except OSError as error:
            sock.close()
            fault = error
        else:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
    raise fault or TimeoutError


def dial_through_proxy(host: str, port: int, deadline: Deadline) -> socket.socket:
    """Connect to a host, through the proxy of HTTPS_PROXY and NO_PROXY if they name one.

    Raises:
        ConfigurationException: HTTPS_PROXY names no proxy that can be used.
        OSError, HTTPException: no connection in time, or the proxy refuses the tunnel.

    """
    proxy = _proxy_for(host, port)
    if proxy is None:
        return dial(host, port, deadline)
    sock = dial(proxy.host, proxy.port, deadline)
    try:
        _tunnel(sock, host_and_port(host, port), proxy)
    except BaseException:
        sock.close()
        raise
    return sock


def step_timeout(deadline: Deadline) -> float:
    """Return the seconds for one step of connecting. Raises TimeoutError if none are left."""
    left = deadline.left()
    if left <= 0:
        raise TimeoutError
    return min(CONNECT_TIMEOUT, left)


def _proxy_for(host: str, port: int) -> Proxy | None:
    try:
        proxy = https_proxy(host, port, getproxies(), proxy_bypass)
        usable = proxy is None or proxy.scheme == "http"
    except ValueError:
        usable = False
    if not usable:
        raise wrong_environment("HTTPS_PROXY must be the http address of a proxy that opens tunnels")
    return proxy


def _tunnel(sock: socket.socket, authority: str, proxy: Proxy) -> None:
    """Have the proxy connect to the issuer (RFC 9110, 9.3.6). Raises OSError if it does not."""
    headers = {"Host": authority, **proxy.headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    sock.sendall(f"CONNECT {authority} HTTP/1.1\r\n{head}\r\n".encode())
    response = WholeResponse(sock, method="CONNECT")
    response.begin()
    response.close()
    if not HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
        raise ConnectionRefusedError

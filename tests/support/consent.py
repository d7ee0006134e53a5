"""The consent page of the stand-in, and the user who allows what it asks for."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

import urllib3

PATIENCE = 30

Post = Callable[..., urllib3.BaseHTTPResponse]
"""Posts to the stand-in; each fixture of this kind says what."""


def asked(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def allowed(address: str) -> str:
    """Allow the request at this address; return where the consent page sends the browser."""
    response = urllib3.request(
        "POST",
        address.partition("?")[0],
        body=urlencode(asked(address) | {"decision": "allow"}),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        redirect=False,
        timeout=PATIENCE,
    )
    return response.headers["Location"]

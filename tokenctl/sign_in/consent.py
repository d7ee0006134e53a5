"""What the consent page is asked for: its address (RFC 6749, 4.1.1). Pure but for the random state and verifier."""

import hashlib
import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, quote, urlencode, urlsplit, urlunsplit

from tokenctl.errors import UsageError

FIGMA: Final = "https://www.figma.com/oauth"
LEAST_SCOPE: Final = "current_user:read"
CALLBACK: Final = "/callback"
LOOPBACK_HOSTS: Final = ("127.0.0.1", "localhost")
"""The address literal first: RFC 8252, 8.3, advises against `localhost`, which may resolve to something else."""

_SCOPE: Final = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")
"""scope-token of RFC 6749, 3.3."""


@dataclass(frozen=True, kw_only=True)
class Consent:
    """One question to the user, answered at `redirect_uri`. Its repr shows no client id, state or verifier."""

    authorize_url: str
    whose: str = "Figma's"
    """Whose page it is, for what people read."""
    client_id: str = field(repr=False)
    redirect_uri: str
    scopes: tuple[str, ...] = (LEAST_SCOPE,)
    state: str = field(repr=False, default_factory=lambda: secrets.token_urlsafe(32))
    """Ties the redirect to this question; unguessable, 256 bits (RFC 6749, 10.12)."""
    verifier: str = field(repr=False, default="")
    """Ties the code to who asked for it, by PKCE (RFC 7636); empty where the exchange takes none."""

    @property
    def address(self) -> str:
        """Return the address to open in the browser; a query that `authorize_url` has already is kept."""
        parameters = {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "state": self.state,
            "response_type": "code",
        }
        if self.scopes:
            parameters["scope"] = " ".join(self.scopes)
        if self.verifier:
            parameters |= {"code_challenge": s256(self.verifier), "code_challenge_method": "S256"}
        page = urlsplit(self.authorize_url)
        query = "&".join(part for part in (page.query, urlencode(parameters, quote_via=quote)) if part)
        return urlunsplit(page._replace(query=query))


def new_verifier() -> str:
    """Return a verifier of 256 bits (RFC 7636, 4.1)."""
    return secrets.token_urlsafe(32)


def s256(verifier: str) -> str:
    """Return the challenge of a verifier, by the method S256 (RFC 7636, 4.2)."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def redirect_uri(host: str, port: int) -> str:
    """Return the address that the user is sent back to."""
    return f"http://{host}:{port}{CALLBACK}"


def checked_client_id(client_id: str) -> str:
    """Return the client id; raises UsageError where there is none."""
    if not client_id.strip():
        raise UsageError("--client-id is empty. Give the client id of the Figma app.")
    return client_id


def scopes(asked: tuple[str, ...], *, least: tuple[str, ...] = (LEAST_SCOPE,)) -> tuple[str, ...]:
    """Return what is asked for: the least that is needed and what the operator adds, each once. Raises UsageError."""
    for scope in asked:
        if not _SCOPE.fullmatch(scope):
            raise UsageError("--scope takes one scope, without spaces. Repeat the option for more.")
    return tuple(dict.fromkeys((*least, *asked)))


def checked_address(url: str, name: str) -> str:
    """Return an address that can be trusted with a sign-in; raises UsageError, which calls it `name`, for another."""
    page = _split(url)
    if page is None or not page.hostname or page.fragment or page.username is not None:
        raise UsageError(f"{name} must be an absolute address without user name and fragment.")
    if page.scheme != "https" and not (page.scheme == "http" and page.hostname in LOOPBACK_HOSTS):
        raise UsageError(f"{name} must begin with https://. Only on this machine http:// will do.")
    return url


def check_belongs(url: str, endpoint_url: str) -> None:
    """Refuse to send somebody to the real Figma for a code that a local cloud would have to know; raises UsageError."""
    local = urlsplit(endpoint_url)
    if url == FIGMA and local.hostname in LOOPBACK_HOSTS:
        raise UsageError(
            "The calls go to a server on this machine, which knows no code of the real Figma's. Give its consent page: "
            f"--authorize-url {local.scheme}://{local.netloc}/oauth"
        )


def _split(url: str) -> SplitResult | None:
    try:
        page = urlsplit(url)
        _ = page.port  # raises, too
    except ValueError:
        return None
    return page

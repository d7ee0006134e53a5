"""An OAuth 2 token endpoint that replaces refresh tokens and detects their reuse (RFC 9700, 4.14.2).

A *family* is every pair that one sign-in led to. A refresh token that comes a second time revokes its family. An
independent server with the same rules is in `oidc_provider.py`; this one tells a test what it has issued, and answers
64 callers at once.
"""

import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from werkzeug.datastructures import Authorization
from werkzeug.wrappers import Request, Response

from tests.support.http_server import App, serving

CLIENT_ID, CLIENT_SECRET = "team app", "s:cr t%+/é"
PATH = "/oauth2/token"


@dataclass
class Token:
    """An issued pair, and the user whose sign-in it came from."""

    user: str
    access_token: str = field(default_factory=lambda: f"at_{secrets.token_urlsafe(24)}")
    refresh_token: str = field(default_factory=lambda: f"rt_{secrets.token_urlsafe(24)}")
    spent: bool = False


@dataclass
class OAuth2Server(App):
    """A running server. ``reused`` lists the user of each reused refresh token."""

    url: str = ""
    tokens: dict[str, Token] = field(default_factory=dict)
    reused: list[str] = field(default_factory=list)
    twist: Callable[[Response], Response] = lambda response: response
    """Changes each answer after the server has spent the refresh token."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def sign_in(self, user: str) -> Token:
        """Start a family, or continue it."""
        token = Token(user)
        self.tokens[token.refresh_token] = token
        return token

    def live(self, user: str) -> Token | None:
        """Return the user's only pair with a usable refresh token, or None if the family is revoked."""
        if user in self.reused:
            return None
        (token,) = (token for token in self.tokens.values() if token.user == user and not token.spent)
        return token

    def issued(self, user: str) -> int:
        """Return the number of pairs that followed the user's first one."""
        return sum(token.user == user for token in self.tokens.values()) - 1

    def respond(self, request: Request) -> Response:
        with self._lock:  # one request after the other, as a database would do it
            return self.twist(self._refresh(request))

    def _refresh(self, request: Request) -> Response:
        login = request.authorization or Authorization("none")
        if [unquote_plus(login.get(part) or "") for part in ("username", "password")] != [CLIENT_ID, CLIENT_SECRET]:
            return Response('{"error": "invalid_client"}', 401)
        if request.form["grant_type"] != "refresh_token":
            return Response('{"error": "unsupported_grant_type"}', 400)
        old = self.tokens.get(request.form["refresh_token"])
        if old and old.spent:
            self.reused.append(old.user)
        if not old or old.user in self.reused:
            return Response('{"error": "invalid_grant"}', 400)
        old.spent, new = True, self.sign_in(old.user)
        pair = {"access_token": new.access_token, "refresh_token": new.refresh_token}
        return Response(json.dumps({**pair, "token_type": "Bearer", "expires_in": 3600, "scope": "read write"}))


@contextmanager
def oauth2_server() -> Iterator[OAuth2Server]:
    """Serve until the block ends."""
    server = OAuth2Server()
    with serving(server) as server.url:
        yield server

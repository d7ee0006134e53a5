"""An OAuth 2 server, built with Authlib, that replaces refresh tokens and detects their reuse (RFC 9700, 4.14.2).

A *family* is every pair that one sign-in led to. A refresh token that comes a second time revokes its family.
"""

import json
import secrets
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

from authlib.oauth2.rfc6749 import (
    AuthorizationCodeMixin,
    AuthorizationServer,
    ClientMixin,
    OAuth2Payload,
    OAuth2Request,
    TokenMixin,
)
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7636 import CodeChallenge
from werkzeug.wrappers import Request, Response

from tests.support.http_server import App, serving

CLIENT_ID, CLIENT_SECRET = "team app", "s:cr t%+/é"
SCOPE = "read write"
PATH = "/oauth2/token"


def new_token(kind: str) -> str:
    return f"{kind}_{secrets.token_urlsafe(24)}"


class Client(ClientMixin):  # type: ignore[misc]  # Authlib has no types
    def get_client_id(self) -> str:
        return CLIENT_ID

    def check_client_secret(self, client_secret: str) -> bool:
        return secrets.compare_digest(client_secret.encode(), CLIENT_SECRET.encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return endpoint == "token" and method in ("client_secret_basic", "client_secret_post")

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in ("authorization_code", "refresh_token")

    def get_allowed_scope(self, scope: str) -> str:
        return " ".join(one for one in scope.split() if one in SCOPE.split())


@dataclass
class Token(TokenMixin):  # type: ignore[misc]
    user: str
    access_token: str
    refresh_token: str
    spent: bool = False

    def check_client(self, client: Client) -> bool:
        return client.get_client_id() == CLIENT_ID

    def get_scope(self) -> str:
        return SCOPE


@dataclass(frozen=True)
class Code(AuthorizationCodeMixin):  # type: ignore[misc]
    code: str
    user: str
    redirect_uri: str
    code_challenge: str
    code_challenge_method: str = "S256"

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return SCOPE


class Payload(OAuth2Payload):  # type: ignore[misc]
    def __init__(self, request: Request) -> None:
        self._form = request.form

    @property
    def data(self) -> Mapping[str, str]:
        return self._form

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        return defaultdict(list, {name: self._form.getlist(name) for name in self._form})


class TokenRequest(OAuth2Request):  # type: ignore[misc]
    def __init__(self, request: Request) -> None:
        # Authlib refuses http, which this server uses.
        super().__init__(request.method, request.url.replace("http://", "https://"), headers=request.headers)
        self._request = request
        self.payload = Payload(request)

    @property
    def form(self) -> Mapping[str, str]:
        return self._request.form


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = ["client_secret_basic", "client_secret_post"]

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        assert client.get_client_id() == CLIENT_ID
        found: Code | None = self.server.codes.get(code)
        return found

    def delete_authorization_code(self, authorization_code: Code) -> None:
        del self.server.codes[authorization_code.code]

    def authenticate_user(self, authorization_code: Code) -> str:
        return authorization_code.user

    def save_authorization_code(self, code: str, request: object) -> None:
        """Do nothing: this server has no consent page."""


class RotatingGrant(RefreshTokenGrant):  # type: ignore[misc]
    """Replaces the refresh token, and treats a reused one as stolen."""

    INCLUDE_NEW_REFRESH_TOKEN = True
    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = ["client_secret_basic", "client_secret_post"]

    def authenticate_refresh_token(self, refresh_token: str) -> Token | None:
        found: Token | None = self.server.tokens.get(refresh_token)
        if found and found.spent:
            self.server.reused.append(found.user)
            self.server.revoked.add(found.user)
        return found if found and found.user not in self.server.revoked else None

    def authenticate_user(self, refresh_token: Token) -> str:
        return refresh_token.user

    def revoke_old_credential(self, refresh_token: Token) -> None:
        refresh_token.spent = True


class RotatingServer(AuthorizationServer):  # type: ignore[misc]
    """The server's state and grants. ``reused`` lists the user of each reused refresh token."""

    def __init__(self) -> None:
        super().__init__(scopes_supported=SCOPE.split())
        self.lock = threading.Lock()
        self.tokens: dict[str, Token] = {}
        self.codes: dict[str, Code] = {}
        self.revoked: set[str] = set()
        self.reused: list[str] = []
        self.register_grant(RotatingGrant)
        self.register_grant(CodeGrant, [CodeChallenge(required=True)])
        generator = BearerTokenGenerator(
            lambda *_, **__: new_token("at"), lambda *_, **__: new_token("rt"), lambda *_: 3600
        )
        self.register_token_generator("default", generator)

    def query_client(self, client_id: str) -> Client | None:
        return Client() if client_id == CLIENT_ID else None

    def save_token(self, token: Mapping[str, str], request: TokenRequest) -> None:
        made = Token(request.user, token["access_token"], token["refresh_token"])
        self.tokens[made.refresh_token] = made

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Do nothing."""

    def create_oauth2_request(self, request: Request) -> TokenRequest:
        return TokenRequest(request)

    def handle_response(self, status: int, body: Any, headers: Iterable[tuple[str, str]]) -> Response:
        return Response(json.dumps(body), status, list(headers))


@dataclass
class OAuth2Server(App):
    url: str = ""
    server: RotatingServer = field(default_factory=RotatingServer)

    def sign_in(self, user: str) -> Token:
        token = Token(user, new_token("at"), new_token("rt"))
        self.server.tokens[token.refresh_token] = token
        return token

    def allow(self, user: str, redirect_uri: str, challenge: str) -> str:
        """Return the code that a consent page would issue after the user pressed Allow."""
        code = Code(secrets.token_urlsafe(24), user, redirect_uri, challenge)
        self.server.codes[code.code] = code
        return code.code

    def live(self, user: str) -> Token | None:
        """Return the user's only pair with a usable refresh token, or None if the family is revoked."""
        if user in self.server.revoked:
            return None
        (token,) = (token for token in self.server.tokens.values() if token.user == user and not token.spent)
        return token

    def issued(self, user: str) -> int:
        return sum(token.user == user for token in self.server.tokens.values()) - 1

    def respond(self, request: Request) -> Response:
        request.get_data()
        with self.server.lock:  # one request after the other, as a database would do it
            response: Response = self.server.create_token_response(request)
            return response


@contextmanager
def oauth2_server() -> Iterator[OAuth2Server]:
    app = OAuth2Server()
    with serving(app) as app.url:
        yield app

"""The authorization request: the address of the consent page (RFC 6749, 4.1.1). Pure, except for random values."""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from refresh_token.oauth.issuers import FIGMA_SCOPES
from refresh_token.oauth.profile import SignIn
from tokenctl.sign_in.authorization_response import AuthorizationResponse, read_response

CALLBACK_PATH: Final = "/callback"
LOOPBACK_HOSTS: Final = ("127.0.0.1", "localhost")
"""The IP literal is the default: RFC 8252, 8.3, advises against `localhost`, which may resolve to something else."""


@dataclass(frozen=True, kw_only=True)
class AuthorizationRequest:
    """One request for the user's consent. The repr shows no client id, state or verifier."""

    consent_page: str
    issuer_label: str
    """The name of the provider in messages."""
    client_id: str = field(repr=False)
    redirect_uri: str
    """Where the browser brings the answer."""
    scopes: tuple[str, ...] = FIGMA_SCOPES
    state: str = field(repr=False, default_factory=lambda: secrets.token_urlsafe(32))
    """Links the answer to this request: 256 random bits (RFC 6749, 10.12)."""
    verifier: str = field(repr=False, default="")
    """Links the exchange of the code to this request, by PKCE (RFC 7636); empty if the exchange does not support it."""
    rules: SignIn = field(default_factory=SignIn)
    """How the consent page expects the request, and how it answers."""
    id_name: str = "client_id"
    """What the consent page calls the client id."""
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What else the consent page gets."""

    @property
    def address(self) -> str:
        """The address to open in the browser. A query that the consent page already has is kept."""
        rules, method = self.rules, self.rules.pkce
        parameters = {self.id_name: self.client_id} if rules.names.get("client_id") != "" else {}
        parameters |= self._named({"redirect_uri": self.redirect_uri, "state": self.state, "response_type": "code"})
        if self.scopes and rules.scope_name:
            parameters[rules.scope_name] = rules.scope_separator.join(self.scopes)
        if self.verifier:
            challenge = s256_challenge(self.verifier) if method == "S256" else self.verifier
            parameters |= self._named({"code_challenge": challenge, "code_challenge_method": method})
        parameters |= self.parameters
        page = urlsplit(self.consent_page)
        query = urlencode(parameters, quote_via=quote)
        if page.fragment:  # a page of one script, which has its path there
            return f"{self.consent_page}{'&' if '?' in page.fragment else '?'}{query}"
        return urlunsplit(page._replace(query="&".join(part for part in (page.query, query) if part)))

    def read(self, redirect: Mapping[str, Sequence[str]]) -> AuthorizationResponse:
        """Interpret the parameters of a redirect as the response to this request."""
        state_name = self.rules.names.get("state", "state")
        return read_response(redirect, state=self.state, state_name=state_name, code_name=self.rules.code_name)

    def _named(self, parameters: Mapping[str, str]) -> dict[str, str]:
        """Give the standard's parameters the names that the consent page uses; it gets none that has an empty name."""
        named = {self.rules.names.get(name, name): value for name, value in parameters.items()}
        return {name: value for name, value in named.items() if name}


def new_verifier() -> str:
    """Return a code verifier of 256 random bits (RFC 7636, 4.1)."""
    return secrets.token_urlsafe(32)


def s256_challenge(verifier: str) -> str:
    """Return the code challenge for a verifier, by the method S256 (RFC 7636, 4.2)."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def callback_uri(host: str, port: int) -> str:
    """Return the redirect address on this machine."""
    return f"http://{host}:{port}{CALLBACK_PATH}"

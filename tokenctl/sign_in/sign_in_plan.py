"""What a sign-in needs, as the deployment and the operator decide it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from refresh_token.core.issued_by import IssuedBy
from refresh_token.core.token_pair import TokenPair
from refresh_token.oauth.profile import SignIn
from tokenctl.sign_in.authorization_request import AuthorizationRequest, new_verifier
from tokenctl.sign_in.code_exchange import CodeExchange


@dataclass(frozen=True, kw_only=True)
class SignInPlan:
    """Everything that a sign-in needs, except the port."""

    consent_page: str
    issuer_label: str
    client_id: str = field(repr=False)
    scopes: tuple[str, ...]
    exchange: CodeExchange
    issued_by: IssuedBy
    """Whose tokens the exchange brings."""

    pkce: bool
    rules: SignIn = field(default_factory=SignIn)
    """How the consent page expects the request."""
    id_name: str = "client_id"
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What else the consent page gets."""

    who: Callable[[TokenPair], str | None] | None = None
    """Tells who signed in, by the pair."""

    reminder: str = ""
    """What the operator has to do afterwards."""

    has_device: bool = False
    """Whether the provider has a sign-in on another device."""

    def request(self, redirect_uri: str) -> AuthorizationRequest:
        """Return a new authorization request."""
        return AuthorizationRequest(
            consent_page=self.consent_page,
            issuer_label=self.issuer_label,
            client_id=self.client_id,
            redirect_uri=redirect_uri,
            scopes=self.scopes,
            verifier=new_verifier() if self.pkce else "",
            rules=self.rules,
            id_name=self.id_name,
            parameters=self.parameters,
        )

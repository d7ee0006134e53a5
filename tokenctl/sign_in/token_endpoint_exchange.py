"""Exchanging a code at the token endpoint of Figma or of any OAuth 2 server (RFC 6749, 4.1.3; RFC 7636, 4.5)."""

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from refresh_token.core.token_pair import TokenPair
from refresh_token.oauth.answer_members import in_standard_form
from refresh_token.oauth.app_credentials import AppCredentials
from refresh_token.oauth.bound_profile import BoundProfile
from refresh_token.oauth.issued import issued_token
from refresh_token.oauth.refusal_codes import CODES, Refusal
from refresh_token.oauth.refusals import CODE_EXCHANGE, meaning
from refresh_token.oauth.requests import Occasion, code_request
from refresh_token.oauth.responses import TokenResponse
from tokenctl.errors import ServiceError, TokenctlError
from tokenctl.sign_in.authorization_request import AuthorizationRequest
from tokenctl.sign_in.code_exchange import NOTHING_STORED, issued_pair
from tokenctl.sign_in.transport import send

MAX_SECONDS: Final = 25.0
"""A code of Figma's lives 30 seconds: a later answer would be worthless."""


@dataclass(frozen=True, kw_only=True)
class TokenEndpointExchange:
    """Exchanges codes at the address `url`, as the profile describes."""

    url: str
    profile: BoundProfile
    app: AppCredentials = field(repr=False)
    bundle: str | None = None
    """A file of certificates to trust instead of the usual ones."""
    seconds: float = MAX_SECONDS

    def __call__(self, request: AuthorizationRequest, code: str, *, now: datetime) -> TokenPair:
        """Exchange a code; see `CodeExchange`."""
        exchange = code_request(
            self.profile,
            self.app,
            code=code,
            redirect_uri=request.redirect_uri,
            verifier=request.verifier,
            occasion=Occasion(now, secrets.token_hex(16)),
        )
        try:
            response = send(replace(exchange, url=self.url), bundle=self.bundle, seconds=self.seconds)
            return self._pair(in_standard_form(response, self.profile.profile.answer), request, now)
        except TokenctlError as error:
            raise type(error)(f"{error} {NOTHING_STORED}") from None

    def _pair(self, response: TokenResponse, request: AuthorizationRequest, now: datetime) -> TokenPair:
        if response.refused:
            raise _refusal(response)
        if "access_token" in response.document and response.document.get("refresh_token") is None:
            raise ServiceError(
                "The issuer gave no refresh token, so nothing could keep the token alive. Some issuers require a scope "
                "for it, such as offline_access: see --scope."
            )
        return issued_pair(
            lambda: issued_token(response, self.profile, self.app), request, now=now, issuer_label="The issuer"
        )


def _refusal(response: TokenResponse) -> ServiceError:
    # Only a code that the RFC defines is shown: any other text may echo the request.
    what = f"HTTP {response.status}{f', {response.code}' if response.code in CODES else ''}"
    match meaning(response, CODE_EXCHANGE):
        case Refusal.NONSENSE:
            return ServiceError(
                f"There is no token endpoint at this address ({what}). Check the issuer's address in the stack's "
                "settings (oauth2_token_url, figma_base_url), or --token-url."
            )
        case Refusal.LATER | Refusal.UNEXPLAINED:
            return ServiceError(f"The issuer cannot exchange the code now ({what}). Wait a minute.")
        case Refusal.APP:
            return ServiceError(
                f"The issuer refuses the app's credentials ({what}). Compare them with those that the issuer shows, "
                "and store the right ones with `tokenctl app-credentials`. If they are right, try the other value of "
                "oauth2_client_auth: some servers take `post` only."
            )
        case _:
            return ServiceError(
                f"The code was refused ({what}). A code works once, for a short time (30 seconds at Figma), and only "
                "for the app and the redirect address that it was issued for. Compare the app's credentials as well."
            )

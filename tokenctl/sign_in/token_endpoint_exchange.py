"""Exchanging a code at a provider's token endpoint (RFC 6749, 4.1.3; RFC 7636, 4.5)."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from refresh_token.core.grant import Grant
from refresh_token.core.token_pair import PROVIDER, TokenPair
from refresh_token.core.values import merged_values, readable_values
from refresh_token.oauth.answer_members import in_standard_form
from refresh_token.oauth.app_credentials import AppCredentials
from refresh_token.oauth.assertion import Sign, assertion
from refresh_token.oauth.bound_profile import BoundProfile
from refresh_token.oauth.issued import issued_token
from refresh_token.oauth.issuers import OAUTH2
from refresh_token.oauth.profile import REFRESH_TOKEN
from refresh_token.oauth.refusal_codes import CODES, Refusal
from refresh_token.oauth.refusals import CODE_EXCHANGE, meaning
from refresh_token.oauth.requests import Occasion, TokenRequest, code_request, exchange_request
from refresh_token.oauth.responses import TokenResponse
from tokenctl.errors import ServiceError, TokenctlError
from tokenctl.sign_in.authorization_request import AuthorizationRequest
from tokenctl.sign_in.code_exchange import NOTHING, NOTHING_STORED, issued_pair
from tokenctl.sign_in.transport import send

MAX_SECONDS: Final = 25.0
"""A code of Figma's lives 30 seconds: a later answer would be worthless."""


@dataclass(frozen=True, kw_only=True)
class TokenEndpointExchange:
    """Exchanges codes as the profile describes."""

    profile: BoundProfile
    app: AppCredentials = field(repr=False)
    url: str = ""
    """Where to exchange them instead of where the profile says."""
    provider: str = PROVIDER
    """Whose API the tokens are for."""
    bundle: str | None = None
    """A file of certificates to trust instead of the usual ones."""
    seconds: float = MAX_SECONDS
    sign: Sign | None = None
    """Signs a JWT, if the profile has one."""

    def __call__(
        self, request: AuthorizationRequest, code: str, *, now: datetime, redirect: Mapping[str, str] = NOTHING
    ) -> TokenPair:
        """Exchange a code; see `CodeExchange`."""
        values = self._brought_by(redirect)
        bound = self.profile.with_values(values)
        try:
            occasion = self.occasion(bound, now)
            response = self.answer(self._code_request(bound, request, code, occasion))
            if response.refused:
                raise _refusal(response, by_settings=bound.profile.name == OAUTH2)
            pair = self.pair(response, bound, request.client_id, occasion)
        except TokenctlError as error:
            raise type(error)(f"{error} {NOTHING_STORED}") from None
        hidden = (pair.access_token, pair.refresh_token, self.app.client_secret, code)
        return replace(pair, values=merged_values(readable_values(values, hidden), pair.values))

    def answer(self, asked: TokenRequest) -> TokenResponse:
        """Send a request; return the answer with the standard's members. Raises as `transport.send`."""
        response = send(asked, bundle=self.bundle, seconds=self.seconds)
        return in_standard_form(response, self.profile.profile.answer)

    def pair(self, response: TokenResponse, bound: BoundProfile, client_id: str, occasion: Occasion) -> TokenPair:
        """Return the pair that an answer, and the exchange after it if there is one, bring; raises ServiceError."""
        pair = self._read(response, bound, client_id, occasion.now, is_last=bound.profile.exchange is None)
        if more := self._exchange_request(bound, pair, occasion):
            response = self.answer(more)
            if response.refused:
                raise _refusal(response, by_settings=False)
            pair = _joined(pair, self._read(response, bound, client_id, occasion.now))
        return pair

    def _brought_by(self, redirect: Mapping[str, str]) -> dict[str, str]:
        """Return what the redirect says about the grant, by our names."""
        profile = self.profile.profile
        names = {name: param.redirect for name, param in profile.params.items() if param.redirect}
        names |= profile.answer.redirect_values
        return {ours: redirect[theirs] for ours, theirs in names.items() if theirs in redirect}

    def occasion(self, bound: BoundProfile, now: datetime) -> Occasion:
        """Return what is new in a request, with a signed JWT if the profile has one; raises ServiceError."""
        occasion = Occasion(now, secrets.token_hex(16))
        try:
            return replace(occasion, assertion=assertion(bound, self.app, occasion, self.sign))
        except ValueError as error:
            raise _unmade(error) from None

    def _code_request(
        self, bound: BoundProfile, request: AuthorizationRequest, code: str, occasion: Occasion
    ) -> TokenRequest:
        app, redirect_uri, verifier = self.app, request.redirect_uri, request.verifier
        try:
            asked = code_request(bound, app, code=code, redirect_uri=redirect_uri, verifier=verifier, occasion=occasion)
        except ValueError as error:
            raise _unmade(error) from None
        return replace(asked, url=self.url) if self.url else asked

    def _exchange_request(self, bound: BoundProfile, pair: TokenPair, occasion: Occasion) -> TokenRequest | None:
        """Return what follows the exchange of the code, such as the one for a token that lives long."""
        grant = Grant(pair.refresh_token, pair.access_token, pair.values)
        try:
            return exchange_request(bound.with_values(pair.values), self.app, grant, occasion)
        except ValueError as error:
            raise _unmade(error) from None

    def _read(
        self, response: TokenResponse, bound: BoundProfile, client_id: str, now: datetime, *, is_last: bool = True
    ) -> TokenPair:
        refreshable = is_last and bound.profile.grant == REFRESH_TOKEN
        if refreshable and "access_token" in response.document and response.document.get("refresh_token") is None:
            raise ServiceError(
                "The issuer gave no refresh token, so nothing could keep the token alive. Some issuers require a scope "
                "for it, such as offline_access: see --scope."
            )
        return issued_pair(
            lambda: issued_token(response, bound, self.app),
            client_id,
            now=now,
            issuer_label="The issuer",
            provider=self.provider,
            refreshable=refreshable,
        )


def _joined(first: TokenPair, last: TokenPair) -> TokenPair:
    """Return the last answer's pair, with what only the first one said."""
    values = merged_values(first.values, last.values)
    refresh_token = last.refresh_token or first.refresh_token
    return replace(last, refresh_token=refresh_token, scope=last.scope or first.scope, values=values)


def _unmade(error: ValueError) -> ServiceError:
    return ServiceError(f"The code cannot be exchanged: {error}.")


def _refusal(response: TokenResponse, *, by_settings: bool) -> ServiceError:
    # Only a code that the RFC defines is shown: any other text may echo the request.
    what = f"HTTP {response.status}{f', {response.code}' if response.code in CODES else ''}"
    match meaning(response, CODE_EXCHANGE):
        case Refusal.NONSENSE:
            return ServiceError(
                f"There is no token endpoint at this address ({what}). Check the issuer's address in the stack's "
                "settings (oauth2_token_url, figma_base_url, issuer_params), or --token-url."
            )
        case Refusal.LATER | Refusal.UNEXPLAINED:
            return ServiceError(f"The issuer cannot exchange the code now ({what}). Wait a minute.")
        case Refusal.APP:
            other = (
                " If they are right, try the other value of oauth2_client_auth: some servers take `post` only."
                if by_settings
                else ""
            )
            return ServiceError(
                f"The issuer refuses the app's credentials ({what}). Compare them with those that the issuer shows, "
                f"and store the right ones with `tokenctl app-credentials`.{other}"
            )
        case _:
            return ServiceError(
                f"The code was refused ({what}). A code works once, for a short time (30 seconds at Figma), and only "
                "for the app and the redirect address that it was issued for. Compare the app's credentials as well."
            )

"""The two requests to a token endpoint: a refresh (RFC 6749, 6) and the exchange of a code (4.1.3; RFC 7636, 4.5)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from refresh_token.oauth.app_credentials import AppCredentials
from refresh_token.oauth.client_auth import authenticate
from refresh_token.oauth.profiles import Profile

_HEADERS: Final = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "Content-Type": "application/x-www-form-urlencoded",
}


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A form and the headers that it needs. The repr shows neither, since both may hold secrets."""

    form: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    @property
    def body(self) -> bytes:
        """The form, encoded."""
        return urlencode(self.form).encode()

    def all_headers(self, user_agent: str) -> dict[str, str]:
        """Return every header to send."""
        return {**_HEADERS, "User-Agent": user_agent, **self.headers}


def refresh_request(profile: Profile, app: AppCredentials, refresh_token: str) -> TokenRequest:
    """Return the request for a new access token. Raises ValueError as `authenticate` does."""
    return _request(profile, app, {**profile.refresh_fields, "refresh_token": refresh_token})


def code_request(profile: Profile, app: AppCredentials, *, code: str, redirect_uri: str, verifier: str) -> TokenRequest:
    """Return the request for the first pair; `verifier` is that of PKCE. Raises ValueError as `authenticate` does."""
    own = {"code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
    return _request(profile, app, {**profile.code_fields, **own})


def _request(profile: Profile, app: AppCredentials, form: Mapping[str, str]) -> TokenRequest:
    authentication = authenticate(profile.client_auth, app)
    return TokenRequest({**form, **authentication.fields}, authentication.headers)

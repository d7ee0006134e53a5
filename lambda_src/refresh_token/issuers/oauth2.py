"""Any OAuth 2 server: a refresh as RFC 6749, 6, describes it.

A server may replace the refresh token with each answer and take the old one, should it come again, for stolen. So a
form that may have been acted upon is never sent again, and a new refresh token is stored in the same write as the
access token.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Final
from urllib.parse import quote

from refresh_token.errors import (
    ConfigurationException,
    IssuerProtocolException,
    IssuerUnavailableException,
    RefreshTokenError,
)
from refresh_token.issuers.app_credentials import AppCredentials, AppCredentialsSecret
from refresh_token.issuers.environment import IssuerEnvironment
from refresh_token.issuers.token_endpoint import CLIENT_CODES, Answer, TokenEndpoint, refusal
from refresh_token.token_pair import IssuedToken

DEFAULT_LIFETIME: Final = 3600
"""Seconds that a token is believed to live where the server does not say (``expires_in`` is optional). Too short costs
a refresh; too long is noticed by consumers, whose report heals it. With no expiry, every question would refresh."""

_SETTINGS_CODES: Final = ("invalid_request", "unsupported_grant_type", "invalid_scope")
_PASSING_CODES: Final = ("server_error", "temporarily_unavailable", "slow_down")
_OWN_FIELDS: Final = ("grant_type", "refresh_token", "scope", "client_id", "client_secret")


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth2Settings:
    """How a server wants to be asked. ``client_auth`` says where the app's credentials go: ``basic`` or ``post``."""

    token_url: str
    client_auth: str = "basic"
    scope: str = ""
    lifetime: int = DEFAULT_LIFETIME
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)


class OAuth2Issuer:
    """The Issuer port on a token endpoint."""

    rotates = True
    takes_client_id = False

    def __init__(self, settings: OAuth2Settings, app: AppCredentialsSecret) -> None:
        self._settings = settings
        self._endpoint = TokenEndpoint(settings.token_url, repeatable=False)
        self._app = app

    def refresh(self, refresh_token: str, client_id: str | None, *, seconds: float) -> IssuedToken:  # noqa: ARG002
        """Refresh within ``seconds``; see the port for what it raises.

        The app asks under its own id, whatever ``client_id`` says: a refresh token is bound to its client.
        """
        ends = monotonic() + seconds
        app = self._app.read(seconds=seconds)
        form = {**self._settings.extra, "grant_type": "refresh_token", "refresh_token": refresh_token}
        if self._settings.scope:
            form["scope"] = self._settings.scope
        headers = {}
        if self._settings.client_auth == "basic":
            headers["Authorization"] = _basic(app)
        else:
            form.update(client_id=app.client_id, client_secret=app.client_secret)
        answer = self._endpoint.post(form, headers, seconds=ends - monotonic())
        if answer.refused:
            raise _meaning(answer)
        return self._issued(answer.document)

    def _issued(self, new: Mapping[str, object]) -> IssuedToken:
        kind = new.get("token_type", "bearer")
        if not isinstance(kind, str) or kind.lower() != "bearer":
            raise IssuerProtocolException(
                "The issuer answered with a token that is no bearer token, which nobody here can use. Nothing was "
                "stored. Check the app's settings at the issuer."
            )
        expires_in = new.get("expires_in")
        lifetime = self._settings.lifetime if expires_in is None else expires_in
        return IssuedToken.from_answer(new.get("access_token"), lifetime, new.get("refresh_token"))


def issuer_from(environment: Mapping[str, str]) -> OAuth2Issuer:
    """Return the issuer that the variables OAUTH2_* and APP_SECRET_ARN describe. Raises ConfigurationException."""
    read = IssuerEnvironment(environment)
    secret_arn = read.text("APP_SECRET_ARN")
    settings = OAuth2Settings(
        token_url=read.url("OAUTH2_TOKEN_URL", query=True),
        client_auth=read.choice("OAUTH2_CLIENT_AUTH", ("basic", "post")),
        scope=read.text("OAUTH2_SCOPE", ""),
        lifetime=read.seconds("OAUTH2_DEFAULT_LIFETIME", DEFAULT_LIFETIME),
        extra=read.strings("OAUTH2_EXTRA_PARAMETERS", but=_OWN_FIELDS),
    )
    read.check()
    return OAuth2Issuer(settings, AppCredentialsSecret(secret_arn))


def _basic(app: AppCredentials) -> str:
    """Return the header of RFC 6749, 2.3.1: id and secret are form-encoded before they become user and password.

    A blank is encoded as %20, which servers that take a plus for a plus read, too.
    """
    pair = f"{quote(app.client_id, safe='')}:{quote(app.client_secret, safe='')}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def _meaning(answer: Answer) -> RefreshTokenError:
    """Return what a refusal means, by the codes of RFC 6749, 5.2, and those that servers have borrowed from 4.1.2.1."""
    if answer.code in _PASSING_CODES:
        return IssuerUnavailableException(f"The issuer cannot refresh now (HTTP {answer.status}). Ask again later.")
    if answer.code in _SETTINGS_CODES:
        return ConfigurationException(
            f"The issuer does not understand the request (HTTP {answer.status}, `{answer.code}`). Check its settings "
            "(OAUTH2_TOKEN_URL, OAUTH2_SCOPE, OAUTH2_EXTRA_PARAMETERS), and that it refreshes tokens for this app."
        )
    return refusal(answer, client_at_fault=answer.code in CLIENT_CODES)

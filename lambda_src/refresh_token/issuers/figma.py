"""Figma itself, with the team's own app: ``POST /v1/oauth/refresh`` (Figma's REST API documentation, "Authentication").

The app's credentials go into HTTP Basic as they are, the refresh token into a form. The answer has ``access_token``,
``token_type``, ``expires_in`` (seconds) and no new refresh token: the old one goes on working, so that a form which may
have been acted upon can be sent again. That makes one more token and kills the one before, which nobody has seen.

Figma documents no error codes. Its errors are ``{"error": true, "status", "message", "i18n"}``; RFC 6749's are read,
too. What tells wrong app credentials from a refused grant is assumed: see `_names_the_app`.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from time import monotonic
from typing import Final

from refresh_token.errors import ConfigurationException
from refresh_token.issuers.app_credentials import HOW_TO_FILL, AppCredentials, AppCredentialsSecret
from refresh_token.issuers.environment import IssuerEnvironment
from refresh_token.issuers.token_endpoint import Answer, TokenEndpoint, refusal
from refresh_token.token_pair import IssuedToken

BASE_URL: Final = "https://api.figma.com"
"""Figma for Government has https://api.figma-gov.com."""

_GRANT: Final = re.compile(r"token|grant", re.IGNORECASE)
_APP: Final = re.compile(r"client|secret|credential|\bapp(lication)?\b", re.IGNORECASE)


class FigmaIssuer:
    """The Issuer port on Figma's OAuth endpoint."""

    rotates = False
    takes_client_id = False

    def __init__(self, base_url: str, app: AppCredentialsSecret) -> None:
        self._endpoint = TokenEndpoint(f"{base_url.rstrip('/')}/v1/oauth/refresh", repeatable=True)
        self._app = app

    def refresh(self, refresh_token: str, client_id: str | None, *, seconds: float) -> IssuedToken:  # noqa: ARG002
        """Refresh within ``seconds``; see the port for what it raises.

        The app asks under its own id, whatever ``client_id`` says: Figma refuses a refresh token of another app.
        """
        ends = monotonic() + seconds
        authorization = _basic(self._app.read(seconds=seconds))
        answer = self._endpoint.post(
            {"refresh_token": refresh_token}, {"Authorization": authorization}, seconds=ends - monotonic()
        )
        if answer.refused:
            raise refusal(answer, client_at_fault=_names_the_app(answer))
        new = answer.document
        return IssuedToken.from_answer(new.get("access_token"), new.get("expires_in"), new.get("refresh_token"))


def issuer_from(environment: Mapping[str, str]) -> FigmaIssuer:
    """Return the issuer that FIGMA_BASE_URL and APP_SECRET_ARN describe. Raises ConfigurationException."""
    read = IssuerEnvironment(environment)
    base_url, secret_arn = read.url("FIGMA_BASE_URL", BASE_URL), read.text("APP_SECRET_ARN")
    read.check()
    return FigmaIssuer(base_url, AppCredentialsSecret(secret_arn))


def _basic(app: AppCredentials) -> str:
    """Return the header as Figma documents it: base64 of id, colon and secret, nothing escaped."""
    if ":" in app.client_id:
        raise ConfigurationException(f"The app's `clientId` has a colon, which Figma's ids do not. {HOW_TO_FILL}")
    return f"Basic {b64encode(f'{app.client_id}:{app.client_secret}'.encode()).decode()}"


def _names_the_app(answer: Answer) -> bool:
    """Tell whether a refusal is about the app's credentials.

    Assumed: then its message speaks of the client, its secret or its credentials, and of no token or grant ("Invalid
    client credentials"; "Parameter client_id is required" is known). Any other 400, 401 and 403 refuses the grant.
    """
    message = answer.document.get("message", answer.document.get("error_description"))
    said = message if isinstance(message, str) else ""
    return answer.code != "invalid_grant" and bool(_APP.search(said)) and not _GRANT.search(said)

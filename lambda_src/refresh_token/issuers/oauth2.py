"""Any issuer with a token endpoint (RFC 6749, 6). A profile says what the endpoint expects."""

from collections.abc import Mapping

from refresh_token.adapters.deadline import Deadline
from refresh_token.core.grant import Grant
from refresh_token.core.issued_by import IssuedBy
from refresh_token.core.issued_token import Issued
from refresh_token.core.ports import Spends
from refresh_token.environment import ISSUER
from refresh_token.errors import ConfigurationException
from refresh_token.issuers.app_credentials import HOW_TO_FILL, AppCredentialsSecret
from refresh_token.issuers.refusal_errors import refusal_error
from refresh_token.issuers.token_endpoint import TokenEndpoint
from refresh_token.oauth.app_credentials import AppCredentials
from refresh_token.oauth.issued import issued_token
from refresh_token.oauth.issuer_settings import OwnAppSettings
from refresh_token.oauth.profile_settings import own_app_settings
from refresh_token.oauth.requests import TokenRequest, refresh_request
from refresh_token.oauth.variables import APP_SECRET_ARN, VariableReader


class OAuth2Issuer:
    """The Issuer port on a token endpoint."""

    spends: Spends = "refresh_token"
    takes_client_id = False

    def __init__(self, settings: OwnAppSettings, app: AppCredentialsSecret) -> None:
        profile = settings.profile
        self.rotates = profile.rotates
        self.issued_by = settings.issued_by
        self._profile = profile
        self._endpoint = TokenEndpoint(profile.refresh_url, repeatable=not profile.rotates)
        self._app = app

    def refresh(
        self,
        grant: Grant,
        client_id: str | None,  # noqa: ARG002 - see below
        *,
        seconds: float,
        owner: IssuedBy | None = None,
    ) -> Issued:
        """Refresh within `seconds`; see the port for what it raises.

        The request names the app whose credentials are stored, whatever `client_id` is: a refresh token is bound to its
        app, so that of another app is refused.
        """
        deadline = Deadline.after(seconds)
        request = self._request(self._app.read(deadline, owner=owner), grant.refresh_token)
        response = self._endpoint.post(request, deadline)
        refusal = refusal_error(response, self._profile.refresh_refusals) if response.refused else None
        return issued_token(response, self._profile, sent=grant.refresh_token, refusal=refusal)

    def _request(self, app: AppCredentials, refresh_token: str) -> TokenRequest:
        try:
            return refresh_request(self._profile, app, refresh_token)
        except ValueError as error:
            fault = str(error)
        raise ConfigurationException(f"The app's credentials cannot be used: {fault}. {HOW_TO_FILL}", unsent=True)


def issuer_from(environment: Mapping[str, str]) -> OAuth2Issuer:
    """Return the issuer that ISSUER, its variables and APP_SECRET_ARN describe.

    Raises:
        ConfigurationException: names every faulty variable.

    """
    reader = VariableReader(environment)
    settings = own_app_settings(environment[ISSUER]).from_variables(reader)
    secret_arn = reader.text(APP_SECRET_ARN, None if settings.app_keys else "")
    reader.check()
    return OAuth2Issuer(settings, AppCredentialsSecret(secret_arn, settings.issued_by))

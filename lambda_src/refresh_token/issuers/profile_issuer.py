"""Any issuer with a token endpoint. A profile says what the endpoint expects, and how it answers."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from refresh_token.adapters.deadline import Deadline
from refresh_token.core.grant import Grant
from refresh_token.core.grants import SPENDS, Spends
from refresh_token.core.issued_by import IssuedBy
from refresh_token.core.issued_token import Issued
from refresh_token.environment import ISSUER
from refresh_token.errors import ConfigurationException
from refresh_token.issuers.app_credentials import HOW_TO_FILL, AppCredentialsSecret
from refresh_token.issuers.kms_signer import KmsSigner
from refresh_token.issuers.refusal_errors import no_token_answer, refusal_error
from refresh_token.issuers.token_endpoint import MAX_ATTEMPTS, TokenEndpoint
from refresh_token.oauth.answer_members import in_standard_form, values_in
from refresh_token.oauth.app_credentials import AppCredentials
from refresh_token.oauth.assertion import Sign, assertion
from refresh_token.oauth.bound_profile import BoundProfile, UnboundError
from refresh_token.oauth.issued import issued_token
from refresh_token.oauth.profile_requests import Step
from refresh_token.oauth.profile_settings import own_app_settings
from refresh_token.oauth.refusals import is_refusal
from refresh_token.oauth.requests import Occasion, TokenRequest, refresh_request, step_request
from refresh_token.oauth.responses import TokenResponse
from refresh_token.oauth.variables import APP_SECRET_ARN, ATTEMPTS, SIGNING_KEY, VariableReader

MIN_GRACE: Final = 60
"""Seconds for which a replaced token must work, so that one call may send it twice: no call is longer."""


class ProfileIssuer:
    """The Issuer port on a provider that a profile describes."""

    takes_client_id = False

    def __init__(
        self,
        bound: BoundProfile,
        issued_by: IssuedBy,
        app: AppCredentialsSecret | None = None,
        signer: KmsSigner | None = None,
        *,
        attempts: int = MAX_ATTEMPTS,
    ) -> None:
        """Take the profile, the secret with the app's credentials and the key that signs, if the profile needs them.

        A request is sent at most so many times.
        """
        self.spends: Spends = SPENDS.get(bound.profile.grant, "nothing")
        self.rotates = self.spends != "nothing" and bound.rotates
        self.issued_by = issued_by
        self._bound = bound
        self._app = app
        self._signer = signer
        answer, life = bound.profile.answer, bound.profile.refresh_token
        self._endpoint = TokenEndpoint(
            repeatable=not self.rotates or life.grace_seconds >= MIN_GRACE,
            read=lambda response: in_standard_form(response, answer),
            any_text=not answer.access_token,
            attempts=attempts,
        )

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
        app = self._app.read(deadline, owner=owner) if self._app else AppCredentials()
        bound, jwt = self._bound.with_values(grant.values), self._bound.profile.jwt
        occasion = Occasion(datetime.now(UTC), secrets.token_hex(16))
        try:
            occasion = replace(occasion, assertion=assertion(bound, app, occasion, self._sign(deadline)))
            if jwt and jwt.is_token:
                signed = TokenResponse(HTTPStatus.OK, {"access_token": occasion.assertion})
                return issued_token(in_standard_form(signed, bound.profile.answer), bound, app)
            bound, request = self._last_request(bound, app, grant, occasion, deadline)
        except UnboundError as error:
            fault = f"An address of the profile {bound.profile.name} cannot be made: {error}. Check issuer_params."
        except ValueError as error:
            fault = (
                f"The request cannot be made: {error}. Check issuer_params, the `values` of the stored pair, "
                f"and the app's credentials. {HOW_TO_FILL}"
            )
        else:
            response = self._endpoint.send(request, deadline)
            rules = bound.refresh_refusals
            refusal = refusal_error(response, rules) if is_refusal(response, rules) else None
            return issued_token(response, bound, app, sent=grant.refresh_token or grant.access_token, refusal=refusal)
        raise ConfigurationException(fault, unsent=True)

    def _sign(self, deadline: Deadline) -> Sign | None:
        signer = self._signer
        return None if signer is None else lambda message, algorithm: signer.sign(message, algorithm, deadline)

    def _last_request(
        self, bound: BoundProfile, app: AppCredentials, grant: Grant, occasion: Occasion, deadline: Deadline
    ) -> tuple[BoundProfile, TokenRequest]:
        """Return the request for the token, after the steps before it. Raises ValueError."""
        steps = bound.profile.steps
        if not steps:
            return bound, refresh_request(bound, app, grant, occasion)
        for step in steps[:-1]:
            response = self._endpoint.send(step_request(bound, app, step, occasion), deadline)
            bound = bound.with_values(self._values(response, bound, step))
        return bound, step_request(bound, app, steps[-1], occasion)

    def _values(self, response: TokenResponse, bound: BoundProfile, step: Step) -> Mapping[str, object]:
        values = values_in(response.document, step.values)
        if missing := [name for name in step.values if name not in values]:
            if is_refusal(response, rules := bound.refresh_refusals):
                raise refusal_error(response, rules)
            raise no_token_answer(f"a step's answer has no {missing[0]}")
        return values


def issuer_from(environment: Mapping[str, str]) -> ProfileIssuer:
    """Return the issuer that ISSUER, its variables and APP_SECRET_ARN describe.

    Raises:
        ConfigurationException: names every faulty variable.

    """
    reader = VariableReader(environment)
    settings = own_app_settings(environment[ISSUER]).from_variables(reader)
    secret_arn = reader.text(APP_SECRET_ARN) if settings.app_keys else ""
    signing_key = reader.text(SIGNING_KEY) if settings.signs_with else ""
    attempts = reader.number(ATTEMPTS, MAX_ATTEMPTS, maximum=MAX_ATTEMPTS)
    reader.check()
    signer = KmsSigner(signing_key) if signing_key else None
    app = AppCredentialsSecret(secret_arn, settings.issued_by, settings.app_keys) if secret_arn else None
    return ProfileIssuer(settings.profile, settings.issued_by, app, signer, attempts=attempts)

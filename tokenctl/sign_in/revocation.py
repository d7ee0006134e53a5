"""Ending a grant at the provider (RFC 7009)."""

import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from refresh_token.core.grant import Grant
from refresh_token.core.token_pair import TokenPair
from refresh_token.oauth.app_credentials import AppCredentials
from refresh_token.oauth.assertion import Sign, assertion
from refresh_token.oauth.bound_profile import BoundProfile, UnboundError
from refresh_token.oauth.other_requests import revoke_request
from refresh_token.oauth.refusal_codes import CODES
from refresh_token.oauth.requests import Occasion
from tokenctl.errors import ConfigurationError, ServiceError
from tokenctl.sign_in.transport import send
from tokenctl.stack.app_secret import credentials_for
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.issuer import deployed_settings, issuer_title
from tokenctl.stack.signing_key import signer

MAX_SECONDS: Final = 25.0
NOTHING_CHANGED: Final = "Nothing was changed."


@dataclass(frozen=True, kw_only=True)
class Revocation:
    """How to end grants of one provider."""

    profile: BoundProfile
    app: AppCredentials = field(repr=False)
    label: str
    by_hand: str
    """What to do if the provider refuses, as a sentence."""
    bundle: str | None = None
    sign: Sign | None = None
    """Signs a JWT, if the profile has one."""

    def __call__(self, pair: TokenPair) -> None:
        """End the grant of a pair.

        Raises:
            TokenctlError: the provider cannot be reached, or refuses.

        """
        grant = Grant(pair.refresh_token, pair.access_token, pair.values)
        occasion = Occasion(datetime.now(UTC), secrets.token_hex(16))
        try:
            bound = self.profile.with_values(pair.values)
            occasion = replace(occasion, assertion=assertion(bound, self.app, occasion, self.sign))
            request = revoke_request(bound, self.app, grant, occasion)
        except ValueError as error:
            fault = str(error)
        else:
            place = "its revocation endpoint"
            response = send(request, bundle=self.bundle, seconds=MAX_SECONDS, place=place)
            if response.refused:
                # Only a code that the RFC defines is shown: any other text may echo the request.
                code = f", {response.code}" if response.code in CODES else ""
                later = response.status >= HTTPStatus.INTERNAL_SERVER_ERROR or response.status in _BUSY
                help_ = "Try again in a minute." if later else self.by_hand
                raise ServiceError(
                    f"{self.label} did not revoke the grant (HTTP {response.status}{code}). {NOTHING_CHANGED} {help_}"
                )
            return
        raise ConfigurationError(f"The request to revoke cannot be made: {fault}. {NOTHING_CHANGED}")


_BUSY: Final = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT)


def plan_revocation(deployed: DeployedStack, pair: TokenPair, *, marks: str) -> Revocation:
    """Return how to end the grant of a pair that is stored in a deployment.

    `marks` is the command that notes that a person has ended it by hand.

    Raises:
        ConfigurationError: a person must do it by hand. The message says where.
        ServiceError, ConfigurationError: the app's credentials, or the settings, cannot be read.

    """
    label = issuer_title(deployed)
    try:
        settings = deployed_settings(deployed)
    except ConfigurationError:
        settings = None
    bound = settings.profile if settings else None
    by_hand = f"End the access by hand, {_where(bound)}. Then run `{marks}`."
    if settings is None or bound is None or not bound.profile.address.revoke:
        raise ConfigurationError(f"{label} has no address where tokenctl could revoke the grant. {by_hand}")
    app = credentials_for(deployed, settings, pair)
    return Revocation(
        profile=bound,
        app=app,
        label=label,
        by_hand=by_hand,
        bundle=deployed.target.aws.trusted_bundle,
        sign=signer(deployed) if settings.signs_with else None,
    )


def _where(bound: BoundProfile | None) -> str:
    """Return where a person ends the access: the profile's page, if it can be made without the app's id."""
    try:
        page = bound.address("manage") if bound else ""
    except UnboundError:
        page = ""
    return f"at {page}" if page else "in the user's account at the provider, among the connected apps"

"""Asking the provider about the stored access token (RFC 7662)."""

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from refresh_token.core.token_pair import TokenPair
from refresh_token.core.values import readable_scope
from refresh_token.core.windows import iso_utc, whole_number
from refresh_token.oauth.assertion import assertion
from refresh_token.oauth.other_requests import introspect_request
from refresh_token.oauth.refusal_codes import CODES
from refresh_token.oauth.requests import Occasion
from tokenctl.errors import ConfigurationError, ServiceError
from tokenctl.sign_in.transport import send
from tokenctl.stack.app_secret import credentials_for
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.issuer import deployed_settings, issuer_title
from tokenctl.stack.signing_key import signer

MAX_SECONDS: Final = 25.0


def introspect(deployed: DeployedStack, pair: TokenPair) -> dict[str, Any]:
    """Return active, scope, expiresAt and subject; what the provider does not say is None.

    Raises:
        ConfigurationError: the provider has no address for this, or the request cannot be made.
        TokenctlError: the provider cannot be reached, refuses, or its answer makes no sense.

    """
    label, settings = issuer_title(deployed), deployed_settings(deployed)
    bound, occasion = settings.profile.with_values(pair.values), Occasion(datetime.now(UTC), secrets.token_hex(16))
    if not bound.profile.address.introspect:
        raise ConfigurationError(
            f"{label} has no address where it tells about a token, as far as its profile knows. "
            f"`tokenctl doctor --probe {deployed.target.option}` asks the provider's API whether it accepts the token."
        )
    app = credentials_for(deployed, settings, pair)
    sign = signer(deployed) if settings.signs_with else None
    try:
        occasion = replace(occasion, assertion=assertion(bound, app, occasion, sign))
        request = introspect_request(bound, app, pair.access_token, occasion)
    except ValueError as error:
        fault = str(error)
    else:
        response = send(
            request,
            bundle=deployed.target.aws.trusted_bundle,
            seconds=MAX_SECONDS,
            place="its introspection endpoint",
        )
        active = response.document.get("active")
        if not response.succeeded or not isinstance(active, bool):
            # Only a code that the RFC defines is shown: any other text may echo the request.
            what = f"HTTP {response.status}{f', {response.code}' if response.code in CODES else ''}"
            raise ServiceError(
                f"{label} did not tell about the token ({what}). Check the app's credentials and rights."
            )
        return {"active": active, **_facts(response.document, pair)}
    raise ConfigurationError(f"The request about the token cannot be made: {fault}.")


def _facts(document: Any, pair: TokenPair) -> dict[str, str | None]:  # noqa: ANN401 - a JSON object
    tokens = (pair.access_token, pair.refresh_token)
    subject = document.get("sub")
    shown = isinstance(subject, str) and subject.isprintable() and subject not in tokens
    return {
        "scope": readable_scope(document.get("scope"), tokens),
        "expiresAt": _moment(document.get("exp")),
        "subject": subject if shown else None,
    }


def _moment(value: object) -> str | None:
    seconds = whole_number(value)
    try:
        return None if seconds is None else iso_utc(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError):
        return None

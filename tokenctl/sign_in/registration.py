"""Registering an app at a provider that registers its clients itself (RFC 7591)."""

from typing import Final

from refresh_token.oauth.app_credentials import CLIENT_ID, CLIENT_SECRET
from refresh_token.oauth.issuer_settings import OwnAppSettings
from refresh_token.oauth.other_requests import register_request
from refresh_token.oauth.refusal_codes import CODES
from tokenctl.errors import ConfigurationError, ServiceError
from tokenctl.sign_in.transport import send
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.issuer import deployed_settings, issuer_title

MAX_SECONDS: Final = 25.0
CODES_OF_REGISTRATION: Final = ("invalid_redirect_uri", "invalid_client_metadata", "unapproved_software_statement")
"""Codes of RFC 7591, 3.2.2."""

_KEPT: Final = {
    "client_id": CLIENT_ID,
    "client_secret": CLIENT_SECRET,
    "registration_access_token": "registrationAccessToken",
    "registration_client_uri": "registrationClientUri",
}
"""The members of the answer that are stored, and their keys. The last two change or delete the client (RFC 7592)."""


def check_registers(deployed: DeployedStack) -> OwnAppSettings:
    """Return the deployment's settings. Raises ConfigurationError if its provider registers no clients."""
    settings = deployed_settings(deployed)
    if not settings.profile.profile.address.register:
        raise ConfigurationError(
            f"{issuer_title(deployed)} has no address where an app registers itself, as far as its profile knows. "
            "Make an app on the provider's pages, and give its credentials instead of --register."
        )
    return settings


def register(deployed: DeployedStack, settings: OwnAppSettings, redirect_uri: str) -> dict[str, object]:
    """Register an app and return what to store of the answer.

    Raises:
        ServiceError: the provider cannot be reached, or refuses, or its answer lacks what its own requests need.

    """
    label = issuer_title(deployed)
    response = send(
        register_request(settings.profile, client_name=deployed.target.stack_name, redirect_uris=[redirect_uri]),
        bundle=deployed.target.aws.trusted_bundle,
        seconds=MAX_SECONDS,
        place="its registration endpoint",
    )
    if not response.succeeded:
        known = response.code in CODES or response.code in CODES_OF_REGISTRATION
        what = f"HTTP {response.status}{f', {response.code}' if known else ''}"
        raise ServiceError(f"{label} did not register the app ({what}). Nothing was stored.")
    document = response.document
    found = {ours: document[theirs] for theirs, ours in _KEPT.items() if isinstance(document.get(theirs), str)}
    if missing := [key for key in settings.app_keys if key not in found]:
        raise ServiceError(
            f"{label} registered an app, but its answer has no usable {' and no '.join(missing)}, which its requests "
            "need. Nothing was stored."
        )
    return found

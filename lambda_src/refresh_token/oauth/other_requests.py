"""The requests beside those for tokens: revoke, introspect, register a client, and sign in on a device.

They raise ValueError as the others do (`requests`).
"""

from collections.abc import Sequence
from typing import Final

from refresh_token.core.grant import Grant
from refresh_token.oauth.app_credentials import AppCredentials
from refresh_token.oauth.bound_profile import BoundProfile
from refresh_token.oauth.profile_requests import JSON, Request
from refresh_token.oauth.requests import Occasion, TokenRequest, built_request, scope_text

_AUTHENTICATIONS: Final = {
    "basic": "client_secret_basic",
    "basic-unescaped": "client_secret_basic",
    "post": "client_secret_post",
    "private_key_jwt": "private_key_jwt",
}
"""What RFC 7591, 2, calls the methods of client authentication."""

_DEVICE: Final = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "{device_code}"}


def revoke_request(bound: BoundProfile, app: AppCredentials, grant: Grant, occasion: Occasion) -> TokenRequest:
    """Return the request that revokes a grant (RFC 7009, 2.1). Without a refresh token it names the access token."""
    kind = bound.profile.revoke
    hint = kind.token if kind.token == "access_token" or grant.refresh_token else "access_token"  # noqa: S105 - a name
    token = grant.access_token if hint == "access_token" else grant.refresh_token
    sent = {"refresh_token": grant.refresh_token, "access_token": grant.access_token, "token": token}
    standard = {"token": "{token}", "token_type_hint": hint}
    return built_request(bound, app, kind, standard, {**sent, **occasion.values}, bound.profile.address.revoke)


def introspect_request(bound: BoundProfile, app: AppCredentials, token: str, occasion: Occasion) -> TokenRequest:
    """Return the request that asks about an access token (RFC 7662, 2.1)."""
    standard = {"token": "{token}", "token_type_hint": "access_token"}
    sent = {"token": token, **occasion.values}
    return built_request(bound, app, Request(), standard, sent, bound.profile.address.introspect)


def device_request(bound: BoundProfile, app: AppCredentials, occasion: Occasion) -> TokenRequest:
    """Return the request for the codes of a device (RFC 8628, 3.1)."""
    standard = {"client_id": "{clientId}", "scope": "{scope}"}
    sent = {"scope": scope_text(bound), **occasion.values}
    return built_request(bound, app, Request(), standard, sent, bound.profile.address.device)


def device_token_request(
    bound: BoundProfile, app: AppCredentials, device_code: str, occasion: Occasion
) -> TokenRequest:
    """Return the request that asks whether the user has allowed the device (RFC 8628, 3.4)."""
    sent = {"device_code": device_code, "scope": scope_text(bound), **occasion.values}
    profile = bound.profile
    return built_request(bound, app, profile.request, _DEVICE, sent, profile.address.token)


def register_request(bound: BoundProfile, *, client_name: str, redirect_uris: Sequence[str]) -> TokenRequest:
    """Return the request that registers a client (RFC 7591, 3.1)."""
    scope = scope_text(bound)
    document = {
        "client_name": client_name,
        "redirect_uris": list(redirect_uris),
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": _AUTHENTICATIONS.get(bound.client_auth, "none"),
        **({"scope": scope} if scope else {}),
    }
    return TokenRequest(bound.address("register"), document, format=JSON)

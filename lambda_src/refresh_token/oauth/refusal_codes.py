"""What the error codes of token endpoints mean: the table of codes, of the RFCs and of providers."""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final


class Refusal(Enum):
    """Who has to do what after a refusal."""

    GRANT = auto()
    """The refresh token or the code is refused: a person signs in again."""

    APP = auto()
    """The app's credentials are refused: an operator stores the right ones."""

    SETTINGS = auto()
    """The issuer does not understand the request: an operator corrects the issuer's settings."""

    LATER = auto()
    """The issuer is throttling or failing: nobody needs to act; the same request may succeed later."""

    UNEXPLAINED = auto()
    """Something refuses without a reason: the same request may succeed later. If it never does, a person signs in."""

    NONSENSE = auto()
    """No token endpoint answers like this: an operator checks the address."""


CODES: Final[Mapping[str, Refusal]] = {
    # RFC 6749, 5.2
    "invalid_grant": Refusal.GRANT,
    "invalid_client": Refusal.APP,
    "unauthorized_client": Refusal.APP,
    "invalid_request": Refusal.SETTINGS,
    "unsupported_grant_type": Refusal.SETTINGS,
    "invalid_scope": Refusal.SETTINGS,
    # RFC 6749, 4.1.2.1, and RFC 8628, 3.5: codes of other endpoints that servers send here as well
    "server_error": Refusal.LATER,
    "temporarily_unavailable": Refusal.LATER,
    "slow_down": Refusal.LATER,
    "authorization_pending": Refusal.LATER,
    "access_denied": Refusal.UNEXPLAINED,  # also for a refresh that comes too early
    "expired_token": Refusal.GRANT,
    # RFC 6750, 3.1, and RFC 8707, 2
    "invalid_token": Refusal.GRANT,
    "insufficient_scope": Refusal.SETTINGS,
    "invalid_target": Refusal.SETTINGS,
    # OpenID Connect Core, 3.1.2.6
    "interaction_required": Refusal.GRANT,
    "login_required": Refusal.GRANT,
    "consent_required": Refusal.GRANT,
    # GitHub, "Troubleshooting OAuth app access token request errors"
    "bad_refresh_token": Refusal.GRANT,
    "bad_verification_code": Refusal.GRANT,
    "incorrect_client_credentials": Refusal.APP,
    "application_suspended": Refusal.APP,
    "redirect_uri_mismatch": Refusal.SETTINGS,
    # Slack, "oauth.v2.access"
    "invalid_refresh_token": Refusal.GRANT,
    "invalid_code": Refusal.GRANT,
    "code_already_used": Refusal.GRANT,
    "token_expired": Refusal.GRANT,
    "token_revoked": Refusal.GRANT,
    "authorization_not_found": Refusal.GRANT,
    "account_inactive": Refusal.GRANT,
    "invalid_auth": Refusal.GRANT,
    "invalid_client_id": Refusal.APP,
    "bad_client_secret": Refusal.APP,
    "bad_redirect_uri": Refusal.SETTINGS,
    "invalid_grant_type": Refusal.SETTINGS,
    "ratelimited": Refusal.LATER,
    "rate_limited": Refusal.LATER,
    "internal_error": Refusal.LATER,
    "fatal_error": Refusal.LATER,
    "request_timeout": Refusal.LATER,
    "service_unavailable": Refusal.LATER,
    # Google, "OAuth 2.0 for Web Server Applications"
    "deleted_client": Refusal.APP,
    "disabled_client": Refusal.APP,
    # HubSpot, "OAuth", and Shopify's and Zoho's endpoints
    "bad_auth_code": Refusal.GRANT,
    "bad_client_id": Refusal.APP,
    "application_cannot_be_found": Refusal.APP,
    "invalid_client_secret": Refusal.APP,
}
"""What an error code means, whatever the status. An issuer's rules may say otherwise."""

"""Figma itself, with an app of your own. What is particular to Figma is in `FigmaSettings`."""

from collections.abc import Mapping

from refresh_token.issuers.oauth2 import OAuth2Issuer, issuer_with
from refresh_token.oauth.issuers import FigmaSettings


def issuer_from(environment: Mapping[str, str]) -> OAuth2Issuer:
    """Return the issuer that FIGMA_BASE_URL and APP_SECRET_ARN describe. Raises ConfigurationException."""
    return issuer_with(FigmaSettings, environment)

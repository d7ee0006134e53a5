"""The issuers by name. To add one that does not follow RFC 6749, add a module here and its row: ``docs/issuers.md``."""

from collections.abc import Mapping
from importlib import import_module
from typing import Final

from refresh_token.core.ports import Issuer
from refresh_token.environment import ISSUER, STATIC, EnvironmentReader
from refresh_token.oauth.issuers import AMPLIFY, SETTINGS

ISSUERS: Final[dict[str, str]] = {
    AMPLIFY: "ui_builder",
    **dict.fromkeys(SETTINGS, "oauth2"),
}
"""Each value of ISSUER, the default first, and the module whose ``issuer_from(environment)`` makes that issuer."""


def issuer_from(environment: Mapping[str, str]) -> Issuer:
    """Return the issuer that ISSUER names. Only its own module is imported, and only now: just reading needs none.

    Raises:
        ConfigurationException: there is no such issuer, or its settings are wrong; names every faulty variable.

    """
    reader = EnvironmentReader(environment)
    name = reader.choice(ISSUER, (*ISSUERS, STATIC))
    reader.check()
    issuer: Issuer = import_module(f"{__package__}.{ISSUERS[name]}").issuer_from(environment)
    return issuer

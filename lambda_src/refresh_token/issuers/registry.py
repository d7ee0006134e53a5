"""The issuers by name. To add one, write a module beside this one and a line here: see ``docs/issuers.md``."""

from collections.abc import Mapping
from importlib import import_module
from typing import Final

from refresh_token.errors import ConfigurationException
from refresh_token.oauth.issuers import AMPLIFY, FIGMA, OAUTH2
from refresh_token.oauth.variables import ISSUER
from refresh_token.ports import Issuer

ISSUERS: Final[dict[str, str]] = {
    AMPLIFY: "ui_builder",
    FIGMA: "figma",
    OAUTH2: "oauth2",
}
"""Each value of ISSUER, and the module whose ``issuer_from(environment)`` makes that issuer."""


def issuer_from(environment: Mapping[str, str]) -> Issuer:
    """Return the issuer that ISSUER names, Amplify if it is not set; see `issuer_named` for what it raises."""
    return issuer_named(environment.get(ISSUER) or AMPLIFY, environment)


def issuer_named(name: str, environment: Mapping[str, str]) -> Issuer:
    """Return an issuer. Only its own module is imported, and only now: an invocation that just reads needs none.

    Raises:
        ConfigurationException: there is no such issuer, or its settings are wrong; names every faulty variable.

    """
    module = ISSUERS.get(name)
    if module is None:
        raise ConfigurationException(
            f"The function's environment is wrong: ISSUER must be one of {', '.join(ISSUERS)}. Deploy the stack again "
            "to set it."
        )
    issuer: Issuer = import_module(f"{__package__}.{module}").issuer_from(environment)
    return issuer

"""The issuers by name. Every other name is that of a profile. ``docs/issuers.md`` says how to add either."""

from collections.abc import Mapping
from importlib import import_module
from typing import Final

from refresh_token.core.grants import SPENDS
from refresh_token.core.ports import Issuer
from refresh_token.environment import ISSUER, ISSUER_GRANT, wrong_environment
from refresh_token.oauth.issuers import AMPLIFY, SETTINGS

OF_PROFILE: Final = "profile_issuer"
"""The module for every issuer that a profile describes."""

ISSUERS: Final[dict[str, str]] = {
    AMPLIFY: "ui_builder",
    **dict.fromkeys(SETTINGS, OF_PROFILE),
}
"""Values of ISSUER, the default first, and the module whose ``issuer_from(environment)`` makes that issuer."""


def issuer_from(environment: Mapping[str, str]) -> Issuer:
    """Return the issuer that ISSUER names. Only its own module is imported, and only now: just reading needs none.

    Raises:
        ConfigurationException: there is no such issuer or profile, or its settings are wrong; names every faulty
            variable.

    """
    module = ISSUERS.get(environment.get(ISSUER) or AMPLIFY, OF_PROFILE)
    issuer: Issuer = import_module(f"{__package__}.{module}").issuer_from(environment)
    grant = environment.get(ISSUER_GRANT) or next(iter(SPENDS))
    if SPENDS.get(grant) != issuer.spends:  # the secret was read by the variable's grant
        raise wrong_environment(f"{ISSUER_GRANT} must be the grant of the issuer's profile")
    return issuer

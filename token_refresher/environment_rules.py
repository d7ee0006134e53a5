"""Which variables an app may give the functions."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from refresh_token import environment
from refresh_token.fleet import settings as fleet
from refresh_token.oauth.issuers import ALL_SETTINGS
from refresh_token.oauth.profile_settings import ProfileSettings
from refresh_token.oauth.variables import ALLOW_HTTP, APP_SECRET_ARN, ATTEMPTS, ISSUER_PROFILE, SIGNING_KEY
from token_refresher.fault_line import fault_line

_OURS: Final = frozenset(
    (
        *(environment.ISSUER, environment.SECRET_ARN, environment.LOCK_TABLE),
        *(environment.ADVISORY_WINDOW, environment.MANDATORY_WINDOW, environment.REFRESH_MARGIN),
        environment.EVENT_BUS,
        *(environment.CONNECTIONS_TABLE, fleet.CONNECTIONS_KEY, fleet.CONNECTIONS_QUEUE_URL, fleet.PROVIDERS),
        *(fleet.REFRESHES_PER_SECOND, fleet.CONNECTION_POLICY, fleet.IDLE_REFRESH_DAYS, fleet.SEAL_ACCESS_TOKENS),
        *(environment.REFRESH_POLICY, environment.GRANT_IDLE, environment.GRANT_ABSOLUTE),
        *(APP_SECRET_ARN, ALLOW_HTTP, ATTEMPTS, ISSUER_PROFILE, environment.ISSUER_GRANT, SIGNING_KEY),
        *(variable for issuer in ALL_SETTINGS.values() for variable in issuer.variables().values()),
        *ProfileSettings.variables().values(),
    )
)
"""Variables that settings decide. So do all of Powertools: some turn off the lock, or move the metrics."""

_LAMBDAS: Final = re.compile(
    r"AWS_(REGION|DEFAULT_REGION|EXECUTION_ENV|LAMBDA_(FUNCTION|INITIALIZATION|LOG|RUNTIME)_\w+|ACCESS_KEY(_ID)?"
    r"|SECRET_ACCESS_KEY|SESSION_TOKEN)|LAMBDA_(TASK_ROOT|RUNTIME_DIR)",
    re.ASCII,
)
"""Variables that Lambda reserves (Lambda Developer Guide, "Defined runtime environment variables")."""


def environment_faults(name: str, value: object) -> Iterator[str]:
    """Name the variables, never their values: an address can hold a password."""
    if not isinstance(value, Mapping):
        yield f"{name}: must be a dictionary of text"
        return
    for variable, text in value.items():
        if not isinstance(variable, str) or not re.fullmatch(r"[A-Za-z]\w+", variable, re.ASCII):
            yield fault_line(name, variable, "must be a letter, and then at least one more letter, digit or underscore")
        elif variable in _OURS or variable.startswith("POWERTOOLS_"):
            yield fault_line(name, variable, "belongs to the function. Use the setting or the prop for it")
        elif _LAMBDAS.fullmatch(variable):
            yield fault_line(name, variable, "belongs to Lambda. Remove it")
        elif not isinstance(text, str):
            yield fault_line(name, variable, "must have a text as its value")

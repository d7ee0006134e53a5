"""Which issuer a stack has, and how it is asked: what the function's environment says (docs/issuers.md)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from tokenctl.errors import ConfigurationError, TokenctlError
from tokenctl.stack.deployed import Deployed
from tokenctl.stack.target import Target

AMPLIFY: Final = "amplify"
FIGMA: Final = "figma"
OAUTH2: Final = "oauth2"
NAMES: Final = (AMPLIFY, FIGMA, OAUTH2)

FIGMA_BASE_URL: Final = "https://api.figma.com"
AMPLIFY_ENDS: Final = datetime(2027, 5, 1, tzinfo=UTC)
"""When Amplify Studio ends, and its API with it."""

_DEFAULT_LIFETIME: Final = 3600
_APP_SECRET: Final = "AppSecretArn"  # noqa: S105 - the name of the stack's output


@dataclass(frozen=True, kw_only=True)
class OwnApp:
    """How an issuer is asked for an app of one's own.

    `address` is Figma's base URL or the token endpoint; `client_auth` is `basic` or `post`; `lifetime` is in seconds,
    for answers that name none. `scope` and `extra` go along with each request for tokens, where they are set.
    """

    name: str
    address: str
    client_auth: str = "basic"
    scope: str = ""
    lifetime: int = _DEFAULT_LIFETIME
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def shown(self) -> str:
        """Return the address without its query."""
        return urlunsplit(urlsplit(self.address)._replace(query=""))


def has_own_app(target: Target) -> bool:
    """Tell whether the stack has a secret for an app's credentials: with `amplify` it has none."""
    return _APP_SECRET in target.outputs


def app_secret_arn(target: Target) -> str:
    """Return the ARN of the secret with the app's credentials; raises ConfigurationError where there is none."""
    if not has_own_app(target):
        raise ConfigurationError(
            f"The stack {target.stack_name} has no place for an app's credentials: its issuer is {AMPLIFY}, and "
            f"Amplify holds them. To use an app of your own: `cdk deploy -c stage={target.stage} -c issuer={FIGMA}`."
        )
    return target.output(_APP_SECRET)


def deployed_issuer(deployed: Deployed) -> str:
    """Return the name of the function's issuer; raises TokenctlError where it cannot be told, or is none."""
    name = _variables(deployed).get("ISSUER") or AMPLIFY
    if name not in NAMES:
        raise TokenctlError(
            f"The function's ISSUER is none of {', '.join(NAMES)}. Deploy the stack again, or use the tokenctl of its "
            "version."
        )
    return name


def deployed_app(deployed: Deployed) -> OwnApp:
    """Return how the function asks its issuer; raises TokenctlError where that cannot be told, or it is `amplify`."""
    name, variables = deployed_issuer(deployed), _variables(deployed)
    if name == FIGMA:
        return OwnApp(name=name, address=variables.get("FIGMA_BASE_URL") or FIGMA_BASE_URL)
    if name == OAUTH2:
        return OwnApp(
            name=name,
            address=variables.get("OAUTH2_TOKEN_URL", ""),
            client_auth=variables.get("OAUTH2_CLIENT_AUTH") or "basic",
            scope=variables.get("OAUTH2_SCOPE", ""),
            lifetime=_seconds(variables.get("OAUTH2_DEFAULT_LIFETIME", "")),
            extra=_strings(variables.get("OAUTH2_EXTRA_PARAMETERS", "")),
        )
    raise ConfigurationError(f"The stack's issuer is {name}, which serves no app of your own.")


def _variables(deployed: Deployed) -> Mapping[str, str]:
    variables: Mapping[str, str] = deployed.configuration.get("Environment", {}).get("Variables", {})
    return variables


def _seconds(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else _DEFAULT_LIFETIME


def _strings(text: str) -> dict[str, str]:
    """Read a JSON object of strings; what is wrong with it, the function says at its next tick."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return {key: value for key, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}

"""The issuer of a deployed stack, read from the function's environment variables (docs/issuers.md)."""

from typing import Final
from urllib.parse import urlsplit, urlunsplit

from refresh_token.environment import ISSUER
from refresh_token.errors import ConfigurationException
from refresh_token.oauth.issuer_settings import OwnAppSettings
from refresh_token.oauth.issuers import AMPLIFY, FIGMA, NAMES, SETTINGS
from refresh_token.oauth.variables import ALLOW_HTTP, VariableReader
from tokenctl.errors import ConfigurationError, TokenctlError
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.target import Target

_APP_SECRET_OUTPUT: Final = "AppSecretArn"  # noqa: S105 - the name of the stack's output


def has_own_app(target: Target) -> bool:
    """Tell whether the stack has a secret for an app's credentials; with the issuer `amplify` it has none."""
    return _APP_SECRET_OUTPUT in target.outputs


def app_secret_arn(target: Target) -> str:
    """Return the ARN of the secret with the app's credentials; raises ConfigurationError if the stack has none."""
    if not has_own_app(target):
        raise ConfigurationError(
            f"The stack {target.stack_name} has no secret for an app's credentials: its issuer is {AMPLIFY}, and "
            f"Amplify holds them. To use an app of your own: `cdk deploy -c stage={target.stage} -c issuer={FIGMA}`."
        )
    return target.output(_APP_SECRET_OUTPUT)


def deployed_issuer(deployed: DeployedStack) -> str:
    """Return the name of the function's issuer; raises TokenctlError if it is unknown or cannot be read."""
    name = deployed.function_variables.get(ISSUER) or AMPLIFY
    if name not in NAMES:
        raise TokenctlError(
            f"The function's ISSUER is not one of {', '.join(NAMES)}. Deploy the stack again, or use the tokenctl of "
            "its version."
        )
    return name


def deployed_settings(deployed: DeployedStack) -> OwnAppSettings:
    """Return the settings of the function's issuer.

    Raises:
        ConfigurationError: the issuer is `amplify`, which has no settings, or its settings are wrong.
        TokenctlError: the issuer is unknown or cannot be read.

    """
    name = deployed_issuer(deployed)
    if name not in SETTINGS:
        raise ConfigurationError(f"The stack's issuer is {name}, which serves no app of your own.")
    # Sign-ins check http addresses themselves, by a stricter rule.
    reader = VariableReader({**deployed.function_variables, ALLOW_HTTP: "true"})
    try:
        settings = SETTINGS[name].from_variables(reader)
        reader.check()
    except ConfigurationException as error:
        raise ConfigurationError(str(error)) from None
    return settings


def default_settings(issuer: str) -> OwnAppSettings:
    """Return the settings of an issuer if nothing is configured. A setting without a default is empty."""
    return SETTINGS[issuer].from_variables(VariableReader({}))


def address_without_query(settings: OwnAppSettings) -> str:
    """Return the issuer's address for people: a query may hold a key."""
    return urlunsplit(urlsplit(settings.address)._replace(query=""))

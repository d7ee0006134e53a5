"""The issuer of a deployed stack, read from the function's environment variables (docs/issuers.md)."""

from typing import Final
from urllib.parse import urlsplit, urlunsplit

from refresh_token.core.issued_by import IssuedBy
from refresh_token.environment import ISSUER, STATIC
from refresh_token.errors import ConfigurationException
from refresh_token.oauth import catalogue
from refresh_token.oauth.app_credentials import KEYS
from refresh_token.oauth.issuer_settings import OwnAppSettings
from refresh_token.oauth.issuers import AMPLIFY, AMPLIFY_ISSUED_BY, FIGMA, NAMES, OAUTH2
from refresh_token.oauth.profile import NOTHING, REFRESH_TOKEN, TOKEN_EXCHANGE
from refresh_token.oauth.profile import STATIC as STATIC_GRANT
from refresh_token.oauth.profile_settings import ProfileSettings, own_app_settings
from refresh_token.oauth.variables import ALLOW_HTTP, ISSUER_PROFILE, VariableReader
from tokenctl.errors import ConfigurationError, TokenctlError
from tokenctl.stack.deploy_command import how_to_deploy
from tokenctl.stack.deployed_stack import DeployedStack

SIGNS_IN: Final = (REFRESH_TOKEN, TOKEN_EXCHANGE, STATIC_GRANT)
"""The grants of profiles that begin with a person's sign-in."""

HOW_TO_REPORT: Final = (
    "If something does not work, open an issue of this project with the provider's answer, but without its tokens."
)

_PAGE: Final = " --authorize-url <consent page>"


def app_secret_arn(deployed: DeployedStack) -> str:
    """Return the ARN of the secret with the app's credentials; raises ConfigurationError if the stack has none."""
    target = deployed.target
    if arn := target.app_secret_arn:
        return arn
    raise ConfigurationError(f"The {target.label} has no secret for an app's credentials{_why_none(deployed)}")


def _why_none(deployed: DeployedStack) -> str:
    issuer = _known_issuer(deployed)
    if issuer == STATIC:
        return f": its issuer is {STATIC}, and a person renews the token with `tokenctl rotate`."
    if issuer == AMPLIFY:
        deploy = how_to_deploy(deployed.target, f"-c issuer={FIGMA}")
        return f": its issuer is {AMPLIFY}, and Amplify holds them. To use an app of your own: {deploy}."
    if issuer is not None and not app_keys(deployed):
        return f": its issuer is {issuer}, which wants none."
    return " among its outputs. If it is a stack of your own, name its refresh function with --function-name."


def deployed_issuer(deployed: DeployedStack) -> str:
    """Return the name of the function's issuer; raises TokenctlError if it is unknown or cannot be read."""
    variables = deployed.target.function_variables
    name = variables.get(ISSUER) or AMPLIFY
    if name not in NAMES and ISSUER_PROFILE not in variables and name not in catalogue.names():
        raise TokenctlError(
            f"The function's ISSUER is not one of {', '.join(NAMES)}, nor a provider of the catalogue. Deploy the "
            "stack again, or use the tokenctl of its version."
        )
    return name


def _known_issuer(deployed: DeployedStack) -> str | None:
    try:
        return deployed_issuer(deployed)
    except TokenctlError:
        return None


def refuse_static(deployed: DeployedStack) -> None:
    """Raise ConfigurationError if a person renews the token, so that a pair of an issuer has no place there."""
    if _known_issuer(deployed) == STATIC:
        raise ConfigurationError(
            f"A person renews the token of {deployed.target.stack_name} (issuer={STATIC}), so there is nowhere to sign "
            f"in. Store the next token with `tokenctl rotate {deployed.target.option}`."
        )


def sign_in_command(deployed: DeployedStack) -> str:
    """Return the command that signs in, with the options that the deployment's issuer needs."""
    issuer, option = _known_issuer(deployed), deployed.target.option
    profile = _profile_of(deployed)
    if profile and profile.grant not in SIGNS_IN:
        return f"tokenctl app-credentials {option}"
    asks_for_page = profile is not None and not profile.profile.consent_page
    needs = {AMPLIFY: " --client-id <id of the app>", OAUTH2: _PAGE}.get(issuer or "", _PAGE if asks_for_page else "")
    return f"tokenctl authorize {option}{needs}"


def renewal_command(deployed: DeployedStack) -> str:
    """Return the command with which a person renews what only a person can renew: the grant, or a static token."""
    profile = _profile_of(deployed)
    if deployed.settings.static and not (profile and profile.profile.consent_page):
        return f"tokenctl rotate {deployed.target.option}"
    return sign_in_command(deployed)


def deployed_issued_by(deployed: DeployedStack) -> IssuedBy | None:
    """Return whose tokens the function can refresh; None if there is no issuer, or if it cannot be read."""
    issuer = _known_issuer(deployed)
    if issuer == AMPLIFY:
        return AMPLIFY_ISSUED_BY
    if issuer in {None, STATIC}:
        return None
    try:
        return deployed_settings(deployed).issued_by
    except TokenctlError:
        return None


def deployed_settings(deployed: DeployedStack) -> OwnAppSettings:
    """Return the settings of the function's issuer.

    Raises:
        ConfigurationError: the issuer is `amplify` or `static`, which have no settings, or its settings are wrong.
        TokenctlError: the issuer is unknown or cannot be read.

    """
    name = deployed_issuer(deployed)
    if name in {AMPLIFY, STATIC}:
        raise ConfigurationError(f"The stack's issuer is {name}, which serves no app of your own.")
    # Sign-ins check http addresses themselves, by a stricter rule.
    reader = VariableReader({**deployed.target.function_variables, ALLOW_HTTP: "true"})
    try:
        settings = own_app_settings(name).from_variables(reader)
        reader.check()
    except ConfigurationException as error:
        raise ConfigurationError(str(error)) from None
    return settings


def default_settings(issuer: str) -> OwnAppSettings:
    """Return the settings of an issuer if nothing is configured. A setting without a default is empty."""
    return own_app_settings(issuer).from_variables(VariableReader({ISSUER: issuer}))


def app_keys(deployed: DeployedStack) -> tuple[str, ...]:
    """Return the keys that the secret with the app's credentials must have; the usual ones if that is not known."""
    try:
        return deployed_settings(deployed).app_keys
    except TokenctlError:
        return KEYS


def issuer_title(deployed: DeployedStack) -> str:
    """Return the issuer's name, with that of the provider if a profile describes it."""
    name, profile = deployed_issuer(deployed), _profile_of(deployed)
    return name if profile is None else f"{profile.title} ({name})"


def why_doubtful(deployed: DeployedStack) -> str:
    """Return what to say before a sign-in that nobody has tried; "" if the profile rests on something.

    A profile in a file of the operator's is deployed without what it rests on.
    """
    profile = _profile_of(deployed)
    if profile is None or profile.own or profile.described.rests_on != NOTHING:
        return ""
    return f"Nobody has tried the profile {profile.name} yet. {HOW_TO_REPORT}"


def _profile_of(deployed: DeployedStack) -> ProfileSettings | None:
    """Return the settings of the issuer if a profile describes it; None if they cannot be read, too."""
    try:
        settings = None if _known_issuer(deployed) in NAMES else deployed_settings(deployed)
    except TokenctlError:
        return None
    return settings if isinstance(settings, ProfileSettings) else None


def address_without_query(settings: OwnAppSettings) -> str:
    """Return the issuer's address for people: a query may hold a key."""
    return urlunsplit(urlsplit(settings.address)._replace(query=""))

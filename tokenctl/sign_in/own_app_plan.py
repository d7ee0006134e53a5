"""Planning a sign-in with an app of your own: its provider's profile says how."""

import secrets
from urllib.parse import urlsplit

from refresh_token.core.issued_by import IssuedBy
from refresh_token.environment import ISSUER
from refresh_token.oauth.addresses import authority
from refresh_token.oauth.app_credentials import AppCredentials
from refresh_token.oauth.assertion import Sign
from refresh_token.oauth.bound_profile import BoundProfile
from refresh_token.oauth.client_auth import authenticate
from refresh_token.oauth.issuer_settings import UNNAMED, OwnAppSettings
from refresh_token.oauth.profile_settings import ProfileSettings
from refresh_token.oauth.templates import fill_in
from refresh_token.settings import provider_in
from tokenctl.errors import ConfigurationError, UsageError
from tokenctl.sign_in.app_login import app_login
from tokenctl.sign_in.options import SignInOptions, check_page_fits, validate_address
from tokenctl.sign_in.sign_in_plan import SignInPlan
from tokenctl.sign_in.signed_in_user import who_asks
from tokenctl.sign_in.token_endpoint_exchange import TokenEndpointExchange
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.issuer import SIGNS_IN, default_settings, deployed_issued_by
from tokenctl.stack.signing_key import signer
from tokenctl.terminal.confirm import confirm


def plan_with_own_app(deployed: DeployedStack, settings: OwnAppSettings, options: SignInOptions) -> SignInPlan:
    """Return the plan; raises as `plan_sign_in`."""
    bound, bundle = settings.profile, deployed.target.aws.trusted_bundle
    profile = bound.profile
    if isinstance(settings, ProfileSettings):
        _check_can_sign_in(deployed, settings)
    token_url = options.token_url or bound.code_url
    if not token_url and not profile.address.token:
        raise UsageError("--token-url is missing. Give the address where the issuer exchanges the code.")
    if token_url:
        validate_address(token_url, "The address of the token endpoint")
    consent_page = _consent_page(settings, token_url, options)
    issued_by = _owner(deployed, settings, token_url, options)
    scopes = options.scopes_with(bound.scopes)
    check_scopes(settings, scopes)
    app, reminder = app_login(deployed, issued_by, options.client_id, settings.app_keys)
    try:
        return plan_at(
            settings,
            app,
            consent_page=consent_page,
            scopes=scopes,
            issued_by=issued_by,
            token_url=options.token_url or "",
            bundle=bundle,
            sign=signer(deployed) if settings.signs_with else None,
            reminder=reminder,
        )
    except ValueError as error:
        fault = str(error)
    raise UsageError(f"The app's credentials cannot be used: {fault}. See `tokenctl app-credentials`.")


def plan_at(  # noqa: PLR0913 - what the operator and the deployment decide
    settings: OwnAppSettings,
    app: AppCredentials,
    *,
    consent_page: str,
    scopes: tuple[str, ...],
    issued_by: IssuedBy,
    token_url: str = "",
    bundle: str | None = None,
    sign: Sign | None = None,
    reminder: str = "",
) -> SignInPlan:
    """Return the plan of a sign-in at a provider with an app. Raises ValueError if the credentials cannot be sent."""
    bound = settings.profile
    profile = bound.profile
    authenticate(bound.client_auth, app)  # better to fail now than after the sign-in
    parameters = fill_in(profile.sign_in.parameters, _texts(bound, app))
    return SignInPlan(
        consent_page=consent_page,
        issuer_label=_label(settings, consent_page),
        client_id=app.client_id,
        scopes=scopes,
        exchange=TokenEndpointExchange(
            url=token_url,
            profile=bound,
            app=app,
            bundle=bundle,
            provider=provider_in({ISSUER: settings.name}),
            sign=sign,
        ),
        issued_by=issued_by,
        pkce=profile.sign_in.pkce != "off",
        rules=profile.sign_in,
        id_name=profile.client.id_name,
        parameters={name: text for name, text in parameters.items() if text},
        who=who_asks(bound, token_url, bundle),
        reminder=reminder,
        has_device=bool(profile.address.device),
    )


def check_scopes(settings: OwnAppSettings, scopes: tuple[str, ...]) -> None:
    """Raise UsageError if the scopes bring no refresh token."""
    needs = settings.profile.profile.sign_in.needs
    if needs and needs not in scopes:
        raise UsageError(
            f"{settings.label} gives a refresh token only with the scope {needs}. Add it to the setting issuer_scope, "
            f"or for this sign-in give --scope {needs}."
        )


def _check_can_sign_in(deployed: DeployedStack, settings: ProfileSettings) -> None:
    """Raise ConfigurationError for a provider whose tokens the app's credentials alone renew."""
    if settings.grant not in SIGNS_IN:
        option = deployed.target.option
        raise ConfigurationError(
            f"{settings.title} issues tokens to the app itself, so nobody signs in. Store the app's credentials with "
            f"`tokenctl app-credentials {option}`; `tokenctl refresh {option}` then gets a token."
        )


def _texts(bound: BoundProfile, app: AppCredentials) -> dict[str, str]:
    """Return what the names in the parameters of a consent page stand for."""
    return {**bound.texts, **app.keys, "clientId": app.client_id, "random": secrets.token_hex(16)}


def _owner(deployed: DeployedStack, settings: OwnAppSettings, token_url: str, options: SignInOptions) -> IssuedBy:
    """Return whose pair and credentials these are; asks if the code goes to another host than the stack's refreshes."""
    own, host = deployed_issued_by(deployed), authority(token_url) if token_url else settings.profile.home
    theirs = IssuedBy.of(settings.name, host)
    if own is None or own.issuer != theirs.issuer:
        return theirs
    known = isinstance(settings, ProfileSettings) and options.token_url is None
    if own.host != theirs.host and not known:
        confirm(
            f"The code and the app's credentials go to {host}, but the function's refreshes go to {own.host}. Go on "
            "only if both belong to the same provider.",
            yes=options.yes,
        )
    return own


def _label(settings: OwnAppSettings, consent_page: str) -> str:
    """Return the name of the provider: the issuer's if it has one, else the host of the consent page."""
    return settings.label if settings.label != UNNAMED else str(urlsplit(consent_page).hostname)


def _consent_page(settings: OwnAppSettings, token_url: str, options: SignInOptions) -> str:
    """Return the consent page: the operator's, or the known one if the issuer exchanges the code at its own address."""
    page = options.authorize_url or settings.profile.consent_page
    check_page_fits(page, token_url)
    own = settings if isinstance(settings, ProfileSettings) else default_settings(settings.name)
    own_url = own.profile.code_url
    at_home = urlsplit(token_url).hostname == urlsplit(own_url).hostname
    if not page or (options.authorize_url is None and not at_home):
        raise UsageError("--authorize-url is missing. Give the address of the issuer's consent page.")
    return page

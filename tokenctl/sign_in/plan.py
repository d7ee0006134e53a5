"""Planning a sign-in: the stack's issuer decides the consent page, the app, the scopes and how to exchange the code."""

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from refresh_token.core.issued_by import IssuedBy
from refresh_token.oauth.addresses import authority
from refresh_token.oauth.client_auth import authenticate
from refresh_token.oauth.issuer_settings import UNNAMED, OwnAppSettings
from refresh_token.oauth.issuers import (
    AMPLIFY,
    AMPLIFY_ISSUED_BY,
    FIGMA_CONSENT_PAGE,
    FIGMA_SCOPES,
    FigmaSettings,
)
from refresh_token.oauth.profile_settings import ProfileSettings
from tokenctl.errors import TokenctlError, UsageError
from tokenctl.sign_in.app_login import app_login
from tokenctl.sign_in.authorization_request import AuthorizationRequest, new_verifier
from tokenctl.sign_in.code_exchange import CodeExchange
from tokenctl.sign_in.options import SignInOptions, check_page_fits, validate_address
from tokenctl.sign_in.signed_in_user import who_asks
from tokenctl.sign_in.token_endpoint_exchange import TokenEndpointExchange
from tokenctl.sign_in.ui_builder_exchange import UiBuilderExchange
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.issuer import (
    default_settings,
    deployed_issued_by,
    deployed_issuer,
    deployed_settings,
    refuse_static,
)
from tokenctl.stack.target import Target
from tokenctl.terminal.confirm import confirm
from tokenctl.terminal.confirm_issuer import confirm_issuer


@dataclass(frozen=True, kw_only=True)
class SignInPlan:
    """Everything that a sign-in needs, except the port."""

    consent_page: str
    issuer_label: str
    client_id: str = field(repr=False)
    scopes: tuple[str, ...]
    exchange: CodeExchange
    issued_by: IssuedBy
    """Whose tokens the exchange brings."""

    pkce: bool
    who: Callable[[str], str | None] | None = None
    """Tells who signed in, by the access token."""

    reminder: str = ""
    """What the operator has to do afterwards."""

    def request(self, redirect_uri: str) -> AuthorizationRequest:
        """Return a new authorization request."""
        return AuthorizationRequest(
            consent_page=self.consent_page,
            issuer_label=self.issuer_label,
            client_id=self.client_id,
            redirect_uri=redirect_uri,
            scopes=self.scopes,
            verifier=new_verifier() if self.pkce else "",
        )


def plan_sign_in(deployed: DeployedStack, options: SignInOptions) -> SignInPlan:
    """Return the plan; may ask the operator to confirm, or to type the app's credentials.

    Raises:
        UsageError: an option is missing or does not fit the stack, or nobody can answer.
        TokenctlError: the operator answered no.
        ServiceError, ConfigurationError: there is no stack, or its settings cannot be read, or the stored credentials
            belong elsewhere.

    """
    issuer = _choose_issuer(deployed, options)
    if issuer == AMPLIFY:
        plan = _plan_with_amplify(deployed.target, options)
    else:
        plan = _plan_with_own_app(deployed, _settings(deployed, issuer, options), options)
    confirm_issuer(deployed, plan.issued_by, yes=options.yes)
    return plan


def _choose_issuer(deployed: DeployedStack, options: SignInOptions) -> str:
    """Return the issuer that the operator names, or the stack's."""
    try:
        stack_issuer = deployed_issuer(deployed)
    except TokenctlError as error:
        if options.issuer is not None:
            return options.issuer
        if deployed.target.app_secret_arn is None:
            return AMPLIFY  # such a stack has no app secret, so its operators need no permission to read the function
        raise type(error)(f"{error} Or name the stack's issuer with --issuer.") from None
    refuse_static(deployed)
    return options.issuer or stack_issuer


def _settings(deployed: DeployedStack, issuer: str, options: SignInOptions) -> OwnAppSettings:
    """Return the issuer's settings: the stack's, or the defaults if the stack has another issuer."""
    try:
        if deployed.target.app_secret_arn is not None and deployed_issuer(deployed) == issuer:
            return deployed_settings(deployed)
    except TokenctlError:
        if options.token_url is None:
            raise  # the default address may not be the stack's
    return default_settings(issuer)


def _plan_with_amplify(target: Target, options: SignInOptions) -> SignInPlan:
    if options.client_id is None:
        raise UsageError(
            "--client-id is missing. Give the client id of the Figma app whose secret Amplify holds, or set "
            "FIGMA_CLIENT_ID."
        )
    if options.token_url is not None:
        raise UsageError(f"--token-url does not apply to the issuer {AMPLIFY}, an AWS service: see --endpoint-url.")
    exchange = UiBuilderExchange.through(target.aws)
    consent_page = options.authorize_url or FIGMA_CONSENT_PAGE
    check_page_fits(consent_page, exchange.client.meta.endpoint_url)
    return SignInPlan(
        consent_page=consent_page,
        issuer_label=FigmaSettings().label,
        client_id=options.client_id,
        scopes=options.scopes_with(FIGMA_SCOPES),
        exchange=exchange,
        issued_by=AMPLIFY_ISSUED_BY,
        pkce=False,  # ExchangeCodeForToken takes no verifier
    )


def _plan_with_own_app(deployed: DeployedStack, settings: OwnAppSettings, options: SignInOptions) -> SignInPlan:
    profile = settings.profile
    token_url = options.token_url or profile.code_url
    if not token_url:
        raise UsageError("--token-url is missing. Give the address where the issuer exchanges the code.")
    validate_address(token_url, "The address of the token endpoint")
    consent_page = _consent_page(settings, token_url, options)
    issued_by = _owner(deployed, settings.name, authority(token_url), options)
    app, reminder = app_login(deployed, issued_by, options.client_id)
    try:
        authenticate(profile.client_auth, app)  # better to fail now than after the sign-in
    except ValueError as error:
        fault = str(error)
    else:
        return SignInPlan(
            consent_page=consent_page,
            issuer_label=_label(settings, consent_page),
            client_id=app.client_id,
            scopes=options.scopes_with(profile.scopes),
            exchange=TokenEndpointExchange(
                url=token_url, profile=profile, app=app, bundle=deployed.target.aws.trusted_bundle
            ),
            issued_by=issued_by,
            pkce=True,
            who=who_asks(profile, token_url, deployed.target.aws.trusted_bundle),
            reminder=reminder,
        )
    raise UsageError(f"The app's credentials cannot be used: {fault}. See `tokenctl app-credentials`.")


def _owner(deployed: DeployedStack, issuer: str, host: str, options: SignInOptions) -> IssuedBy:
    """Return whose pair and credentials these are; asks if the code goes to another host than the stack's refreshes."""
    own, theirs = deployed_issued_by(deployed), IssuedBy.of(issuer, host)
    if own is None or own.issuer != issuer:
        return theirs
    if own.host != theirs.host:
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

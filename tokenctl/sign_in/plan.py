"""Planning a sign-in: the stack's issuer decides the consent page, the app, the scopes and how to exchange the code."""

from refresh_token.oauth.issuer_settings import OwnAppSettings
from refresh_token.oauth.issuers import (
    AMPLIFY,
    AMPLIFY_ISSUED_BY,
    FIGMA_CONSENT_PAGE,
    FIGMA_SCOPES,
    FigmaSettings,
)
from tokenctl.errors import TokenctlError, UsageError
from tokenctl.sign_in.options import SignInOptions, check_page_fits
from tokenctl.sign_in.own_app_plan import plan_with_own_app
from tokenctl.sign_in.sign_in_plan import SignInPlan
from tokenctl.sign_in.ui_builder_exchange import UiBuilderExchange
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.issuer import (
    default_settings,
    deployed_issuer,
    deployed_settings,
    refuse_static,
)
from tokenctl.stack.target import Target
from tokenctl.terminal.confirm_issuer import confirm_issuer


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
        plan = plan_with_own_app(deployed, _settings(deployed, issuer, options), options)
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

"""`tokenctl authorize --device`: from the stack's profile to the stored pair."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import click

from refresh_token.core.issued_by import IssuedBy
from refresh_token.core.token_pair import TokenPair
from refresh_token.environment import ISSUER
from refresh_token.oauth.profile_settings import ProfileSettings
from refresh_token.settings import provider_in
from tokenctl.errors import ConfigurationError, UsageError
from tokenctl.sign_in.app_login import app_login
from tokenctl.sign_in.device_grant import DeviceCode, start, wait
from tokenctl.sign_in.meanwhile import countdown
from tokenctl.sign_in.options import SignInOptions
from tokenctl.sign_in.own_app_plan import check_scopes
from tokenctl.sign_in.signed_in_user import who_asks
from tokenctl.sign_in.store_grant import NewGrant, Place, StoredSignIn
from tokenctl.sign_in.token_endpoint_exchange import TokenEndpointExchange
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.issuer import deployed_settings, issuer_title, refuse_static
from tokenctl.stack.signing_key import signer


@dataclass(frozen=True, kw_only=True)
class DevicePlan:
    """Everything that a sign-in on another device needs."""

    exchange: TokenEndpointExchange
    label: str
    issued_by: IssuedBy
    who: Callable[[TokenPair], str | None] | None
    reminder: str


def plan_device_sign_in(deployed: DeployedStack, options: SignInOptions) -> DevicePlan:
    """Return the plan; may ask the operator to type the app's credentials.

    Raises:
        UsageError: an option does not fit.
        ServiceError, ConfigurationError: the provider has no such sign-in, or the settings cannot be read.

    """
    if options.authorize_url or options.token_url or options.issuer:
        raise UsageError("--device takes its addresses from the stack's profile: leave out --issuer and the addresses.")
    refuse_static(deployed)
    settings = deployed_settings(deployed)
    profile = settings.profile.profile
    if not isinstance(settings, ProfileSettings) or not profile.address.device:
        raise ConfigurationError(
            f"{issuer_title(deployed)} has no sign-in on another device, as far as its profile knows. Leave out "
            "--device; with --no-browser you can open the address anywhere."
        )
    bound = replace(settings.profile, more_scopes=(*settings.profile.more_scopes, *options.scopes))
    check_scopes(settings, bound.scopes)
    app, reminder = app_login(deployed, settings.issued_by, options.client_id, settings.app_keys)
    bundle = deployed.target.aws.trusted_bundle
    exchange = TokenEndpointExchange(
        profile=bound,
        app=app,
        bundle=bundle,
        provider=provider_in({ISSUER: settings.name}),
        sign=signer(deployed) if settings.signs_with else None,
    )
    who = who_asks(bound, "", bundle)
    return DevicePlan(exchange=exchange, label=settings.title, issued_by=settings.issued_by, who=who, reminder=reminder)


def sign_in_on_device(place: Place, plan: DevicePlan, *, timeout: int | None, to_stderr: bool) -> StoredSignIn:
    """Show the code, wait until the person has allowed the access, and store the pair; raises TokenctlError."""
    code = start(plan.exchange, plan.label)
    seconds = min(timeout or code.expires_in, code.expires_in)
    _show(code, seconds, to_stderr=to_stderr)
    with _interruptible(), countdown() as meanwhile:
        pair = wait(plan.exchange, code, plan.label, seconds=seconds, meanwhile=meanwhile)
    scopes = plan.exchange.profile.scopes
    new = NewGrant(scopes=scopes, issued_by=plan.issued_by, who=plan.who, kept=place.kept)
    stored = place.store(pair, new)
    if plan.reminder:
        click.echo(plan.reminder, err=True)
    return stored


@contextmanager
def _interruptible() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        click.echo("\nInterrupted. Nothing was stored. Run the command again.", err=True)
        raise


def _show(code: DeviceCode, seconds: int, *, to_stderr: bool) -> None:
    click.echo(f"Open this address on any device:\n\n{code.address}\n", err=to_stderr)
    click.echo(f"and type this code: {code.user_code}", err=to_stderr)
    if code.complete_address:
        click.echo(f"Or open the address that has the code in it: {code.complete_address}", err=to_stderr)
    click.echo(f"Waiting up to {seconds} seconds. Ctrl-C stops.", err=to_stderr)
    (sys.stderr if to_stderr else sys.stdout).flush()

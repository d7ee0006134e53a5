"""`tokenctl connections authorize`: signs in at the provider and stores the pair as a connection."""

from functools import partial
from typing import Final

import click

from refresh_token.core.windows import iso_utc
from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import fleet_target_options
from tokenctl.connections.deployed_provider import provider_of
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.name import name_argument
from tokenctl.connections.signing_in import NewConnection
from tokenctl.connections.table import Table
from tokenctl.errors import UsageError
from tokenctl.sign_in.command_options import sign_in_options
from tokenctl.sign_in.device_sign_in import plan_device_sign_in, sign_in_on_device
from tokenctl.sign_in.in_browser import Browser, sign_in_in_browser
from tokenctl.sign_in.options import SignInOptions
from tokenctl.sign_in.plan import plan_sign_in
from tokenctl.sign_in.store_grant import Place, StoredSignIn
from tokenctl.stack.issuer import why_doubtful
from tokenctl.stack.target import Target
from tokenctl.stack.token_life import utc_minute
from tokenctl.terminal.confirm import confirm

EXAMPLES: Final = """\b
Examples:
  tokenctl connections authorize acme/u1 --stage prod --port 8976
  tokenctl connections authorize acme/u1 --stage prod --provider shopify --param shop=acme
  tokenctl connections authorize acme/u1 --stage prod --device
"""


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@name_argument
@click.option("--provider", metavar="NAME", help="Where to sign in. Default: the fleet's only provider.")
@click.option(
    "--param", "given", multiple=True, metavar="KEY=VALUE", help="A parameter of the connection; repeat it for more."
)
@sign_in_options
@fleet_target_options
@output_options
def authorize(  # noqa: PLR0913 - the options
    *,
    name: str,
    provider: str | None,
    given: tuple[str, ...],
    target: Target,
    options: SignInOptions,
    browser: Browser,
    device: bool,
    timeout: int | None,
    output: Output,
) -> None:
    """Sign in at the provider, in a browser or on another device, and store the pair as a connection.

    The provider's app must allow the redirect address http://127.0.0.1:PORT/callback. Says who signed in, if the
    provider tells. Asks before it replaces the pair of a connection that exists. Shows no token.
    """
    sample = {
        "connection": name,
        "provider": "provider",
        "versionId": "version",
        "expiresAt": "2030-01-01T00:00:00Z",
        "user": "user",
    }
    output.check("connections authorize", sample)
    fleet, params = Fleet(target), _params(given)
    deployed = provider_of(fleet, provider, params)
    if doubt := why_doubtful(deployed):
        click.echo(doubt, err=True)
    new = NewConnection(fleet=fleet, name=name, provider=deployed.provider, params=params)
    new.check()
    show = partial(_show, new, output)
    if device:
        device_plan = plan_device_sign_in(deployed, options)
        place = _place(new, yes=options.yes)
        show(sign_in_on_device(place, device_plan, timeout=timeout, to_stderr=output.is_structured))
        return
    plan = plan_sign_in(deployed, options)
    place = _place(new, yes=options.yes)
    sign_in_in_browser(plan, place, browser, show=show, to_stderr=output.is_structured)


def _params(given: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if not all(key and equals for key, equals, _ in pairs):
        raise UsageError("--param has the form KEY=VALUE.")
    return {key: value for key, _, value in pairs}


def _place(new: NewConnection, *, yes: bool) -> Place:
    """Return where the pair goes; asks whether it may replace that of a connection which is there."""
    seen = Table(new.fleet).find(new.name)
    if seen is not None:
        lives = "" if seen.expires_at is None else f", and its access token lives until {utc_minute(seen.expires_at)}"
        confirm(
            f"There is a connection {new.name} of {seen.provider}. It is {seen.state}{lives}. This replaces its "
            "tokens; after a new sign-in to the same app every access token of it that was handed out dies.",
            yes=yes,
        )
    return Place(
        store=partial(new.store, seen), kept={}, shown={"Stack": new.fleet.target.stack_name, "Connection": new.name}
    )


def _show(new: NewConnection, output: Output, stored: StoredSignIn) -> None:
    if output.is_structured:
        expires_at = stored.expires_at and iso_utc(stored.expires_at)
        names = {"connection": new.name, "provider": new.provider.name}
        stored_pair = {"versionId": stored.version_id, "expiresAt": expires_at, "user": stored.user}
        output.print("connections authorize", {**names, **stored_pair})
        return
    click.secho(f"Signed in. {new.name} is connected.", fg="green", bold=True, color=output.colored)
    for name, value in (
        *((("signed in as", stored.user),) if stored.user else ()),
        ("provider", new.provider.name),
        ("version", stored.version_id),
        ("token lives until", utc_minute(stored.expires_at)),
    ):
        click.echo(f"  {name:<18}{value}")

"""What a sign-in goes by, which the stack's issuer decides: consent page, app, scopes, and who exchanges the code."""

import sys
from dataclasses import dataclass, field
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import click

from tokenctl.errors import TokenctlError, UsageError
from tokenctl.sign_in import consent as consent_page
from tokenctl.sign_in.consent import Consent
from tokenctl.sign_in.sign_in import Exchange
from tokenctl.sign_in.token_endpoint import TokenEndpoint, basic
from tokenctl.sign_in.ui_builder import exchange, exchange_client
from tokenctl.stack.app_secret import AppCredentials, NoCredentialsError, how_to_fill, read_credentials
from tokenctl.stack.deployed import Deployed
from tokenctl.stack.issuer import AMPLIFY, FIGMA, FIGMA_BASE_URL, OwnApp, deployed_app, deployed_issuer, has_own_app
from tokenctl.stack.target import Target, explained
from tokenctl.terminal.confirm import ask
from tokenctl.terminal.secret_input import hidden

_TOKEN_PATH: Final = "/v1/oauth/token"  # noqa: S105 - an address


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the operator said; None leaves it to the stack, or to what is usual."""

    issuer: str | None
    client_id: str | None = field(repr=False)
    scopes: tuple[str, ...]
    authorize_url: str | None
    token_url: str | None
    yes: bool

    def check(self) -> None:
        """Raise UsageError for what is wrong in itself."""
        for name, url in (("--authorize-url", self.authorize_url), ("--token-url", self.token_url)):
            if url is not None:
                consent_page.checked_address(url, name)
        if self.client_id is not None:
            consent_page.checked_client_id(self.client_id)
        consent_page.scopes(self.scopes)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a sign-in goes by. `reminder` is what is left to do after it."""

    authorize_url: str
    whose: str
    client_id: str = field(repr=False)
    scopes: tuple[str, ...]
    exchange: Exchange
    pkce: bool
    reminder: str = ""

    def consent(self, redirect_uri: str) -> Consent:
        """Return the question to the user."""
        return Consent(
            authorize_url=self.authorize_url,
            whose=self.whose,
            client_id=self.client_id,
            redirect_uri=redirect_uri,
            scopes=self.scopes,
            verifier=consent_page.new_verifier() if self.pkce else "",
        )


def terms_for(target: Target, asked: Asked) -> Terms:
    """Return the terms; may ask the operator.

    Raises:
        UsageError: something has to be given, does not fit the stack, or there is nobody to ask.
        TokenctlError: the answer is no.
        ServiceError, ConfigurationError: there is no stack, or what it says cannot be read.

    """
    deployed = Deployed(target)
    issuer = _chosen(target, deployed, asked)
    return _through_amplify(target, asked) if issuer == AMPLIFY else _with_own_app(target, deployed, issuer, asked)


def _chosen(target: Target, deployed: Deployed, asked: Asked) -> str:
    """Return the issuer to sign in with: the stack's, unless another one is asked for."""
    try:
        # A stack of Amplify's shows it by what it lacks, so that nobody needs leave to look at its function.
        known = deployed_issuer(deployed) if has_own_app(target) else AMPLIFY
    except TokenctlError as error:
        if asked.issuer is None:
            raise type(error)(f"{error} Or say who the stack's issuer is with --issuer.") from None
        return asked.issuer
    if asked.issuer not in {None, known}:
        ask(
            f"The issuer of {target.stack_name} is {known}, and will refuse a refresh token from {asked.issuer}. "
            f"Deploy it with `-c issuer={asked.issuer}` before the new token is due.",
            yes=asked.yes,
        )
    return asked.issuer or known


def _through_amplify(target: Target, asked: Asked) -> Terms:
    if asked.client_id is None:
        raise UsageError(
            "--client-id is missing. Give the client id of the Figma app whose secret Amplify holds, or set "
            "FIGMA_CLIENT_ID."
        )
    if asked.token_url is not None:
        raise UsageError(f"--token-url is not for the issuer {AMPLIFY}, which is an AWS service: see --endpoint-url.")
    client = exchange_client(target.connection)
    page = asked.authorize_url or consent_page.FIGMA
    consent_page.check_belongs(page, client.meta.endpoint_url)
    return Terms(
        authorize_url=page,
        whose="Figma's",
        client_id=asked.client_id,
        scopes=consent_page.scopes(asked.scopes),
        exchange=partial(exchange, client),
        pkce=False,  # ExchangeCodeForToken takes no verifier
    )


def _with_own_app(target: Target, deployed: Deployed, issuer: str, asked: Asked) -> Terms:
    own = _own_app(target, deployed, issuer, asked)
    token_url = asked.token_url or (own.address.rstrip("/") + _TOKEN_PATH if issuer == FIGMA else own.address)
    if not token_url:
        raise UsageError("--token-url is missing: where is the code exchanged?")
    consent_page.checked_address(token_url, "The address of the token endpoint")
    page = _page(issuer, token_url, asked)
    app, reminder = _credentials(target, asked)
    basic(app, own)  # better no credentials now than after the sign-in
    figma = issuer == FIGMA
    return Terms(
        authorize_url=page,
        whose="Figma's" if figma else "the issuer's",
        client_id=app.client_id,
        scopes=consent_page.scopes(asked.scopes)
        if figma
        else consent_page.scopes(asked.scopes, least=tuple(own.scope.split())),
        exchange=TokenEndpoint(url=token_url, issuer=own, app=app, bundle=_bundle(target)),
        pkce=True,
        reminder=reminder,
    )


def _own_app(target: Target, deployed: Deployed, issuer: str, asked: Asked) -> OwnApp:
    """Return how the issuer is asked: as the stack does it, or as is usual where it has another issuer."""
    try:
        own = deployed_app(deployed) if has_own_app(target) else None
    except TokenctlError:
        if asked.token_url is None:
            raise  # the usual address may not be the stack's
        own = None
    if own is not None and own.name == issuer:
        return own
    return OwnApp(name=issuer, address=FIGMA_BASE_URL if issuer == FIGMA else "")


def _page(issuer: str, token_url: str, asked: Asked) -> str:
    page = asked.authorize_url or (consent_page.FIGMA if issuer == FIGMA else None)
    if page is not None:
        consent_page.check_belongs(page, token_url)
    usual = urlsplit(token_url).hostname == urlsplit(FIGMA_BASE_URL).hostname
    if page is None or (asked.authorize_url is None and not usual):
        raise UsageError("--authorize-url is missing: the address of this issuer's consent page is not known.")
    return page


def _credentials(target: Target, asked: Asked) -> tuple[AppCredentials, str]:
    """Return the app's credentials, from the stack or typed, and what is left to do about them."""
    reminder = ""
    try:
        app = read_credentials(target)
    except TokenctlError as error:
        if not sys.stdin.isatty():
            raise
        click.echo(f"{error} For this sign-in you can type them; nothing shows what is typed.", err=True)
        client_id = asked.client_id or hidden("Client id of the app")
        app = AppCredentials(client_id=client_id, client_secret=hidden("Client secret"))
        if isinstance(error, NoCredentialsError):
            reminder = f"The function cannot refresh without the app's credentials. {how_to_fill(target)}"
    if asked.client_id not in {None, app.client_id}:
        raise UsageError(
            "--client-id, or FIGMA_CLIENT_ID, is not that of the app whose credentials the stack has. Leave it out, or "
            "store the other app's with `tokenctl app-credentials`."
        )
    return app, reminder


def _bundle(target: Target) -> str | None:
    """Return the certificates that AWS calls would be checked with, if they are not the usual ones."""
    connection = target.connection
    with explained():
        configured = connection.session._session.get_config_variable("ca_bundle")  # noqa: SLF001 - boto3 hands it on nowhere
    return connection.ca_bundle or configured

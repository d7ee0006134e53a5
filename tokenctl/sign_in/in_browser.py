"""A sign-in through the browser, from the opened port to the stored pair."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

import click

from tokenctl.sign_in.authorization_request import callback_uri
from tokenctl.sign_in.callback_app import CallbackApp
from tokenctl.sign_in.callback_server import CallbackServer
from tokenctl.sign_in.complete_sign_in import SignIn, complete_sign_in
from tokenctl.sign_in.consent_page import send_to_consent_page
from tokenctl.sign_in.meanwhile import on_terminal
from tokenctl.sign_in.sign_in_plan import SignInPlan
from tokenctl.sign_in.store_grant import Place, StoredSignIn

TIMEOUT: Final = 300
"""Seconds to wait for the answer of a consent page."""

LINGER_SECONDS: Final = 2.0
"""How long the port still answers after the sign-in, for a reload of the last page or a second tab."""


@dataclass(frozen=True, kw_only=True)
class Browser:
    """How the browser is opened, and comes back."""

    port: int | None
    redirect_host: str
    opens: bool
    """Whether the consent page is opened on this machine."""

    timeout: int
    """Seconds."""


def sign_in_in_browser(
    plan: SignInPlan, place: Place, browser: Browser, *, show: Callable[[StoredSignIn], None], to_stderr: bool
) -> None:
    """Open the consent page, wait, store the pair, and `show` the result; raises as `complete_sign_in`."""
    with CallbackServer(browser.port or 0) as server:
        request = plan.request(callback_uri(browser.redirect_host, server.port))
        with server.serving(request.read) as app:
            sign_in = SignIn(
                request=request,
                exchange=plan.exchange,
                store=place.store,
                where=place.shown,
                issued_by=plan.issued_by,
                who=plan.who,
                kept=place.kept,
            )
            with _reporting_how_it_ended(app), on_terminal(app, request.read) as meanwhile:
                send_to_consent_page(
                    request,
                    browser.timeout,
                    no_browser=not browser.opens,
                    has_device=plan.has_device,
                    to_stderr=to_stderr,
                )
                stored = complete_sign_in(sign_in, app, seconds=browser.timeout, meanwhile=meanwhile)
            show(stored)
            if plan.reminder:
                click.echo(plan.reminder, err=True)
            with suppress(KeyboardInterrupt):
                time.sleep(LINGER_SECONDS)


@contextmanager
def _reporting_how_it_ended(app: CallbackApp) -> Iterator[None]:
    """Report an interruption, and redirects that were ignored."""
    try:
        yield
    except KeyboardInterrupt:
        state = "A pair may or may not have been stored" if app.has_response else "Nothing was stored"
        click.echo(f"\nInterrupted. {state}. Run the command again.", err=True)
        raise
    finally:
        if app.forged:
            click.echo(
                f"Ignored {app.forged} redirect(s) that did not belong to this sign-in. Unless you caused them, a web "
                "page or a program on this machine tried to sign you in to its own account.",
                err=True,
            )

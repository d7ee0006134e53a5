"""The operator's browser."""

import threading
import webbrowser

import click

from tokenctl.errors import ConfigurationError


def require_browser() -> None:
    """Raise ConfigurationError if this machine has no browser."""
    try:
        webbrowser.get()
    except webbrowser.Error:
        raise ConfigurationError(
            "No browser was found on this machine. Add --no-browser, and open the address that it prints."
        ) from None


def open_in_background(address: str) -> None:
    """Open an address. In a thread, because a browser in the foreground returns only when it is closed."""
    threading.Thread(target=_open, args=(address,), name="browser", daemon=True).start()


def _open(address: str) -> None:
    if not webbrowser.open(address):
        click.echo(
            "The browser did not open. Stop with Ctrl-C and add --no-browser, which prints the address.", err=True
        )

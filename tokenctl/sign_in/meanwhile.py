"""What happens on the terminal while a sign-in waits: it shows the time that is left, and takes a pasted redirect."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import parse_qs, urlsplit

import click

from tokenctl.sign_in.authorization_response import AuthorizationResponse, Outcome
from tokenctl.sign_in.callback_app import CallbackApp, Read
from tokenctl.terminal.hidden_lines import hidden_lines

Meanwhile = Callable[[float], None]
"""Is called again and again while the command waits, with the number of seconds left."""

_CLEAR: Final = f"\r{' ' * 16}\r"


@contextmanager
def countdown() -> Iterator[Meanwhile]:
    """Yield what shows the time that is left, on a terminal."""
    counts = sys.stderr is not None and sys.stderr.isatty()

    def meanwhile(left: float) -> None:
        if counts:
            click.echo(f"\r{int(left) // 60}:{int(left) % 60:02} left ", nl=False, err=True)

    try:
        yield meanwhile
    finally:
        if counts:
            click.echo(_CLEAR, nl=False, err=True)


@contextmanager
def on_terminal(app: CallbackApp, read: Read) -> Iterator[Meanwhile]:
    """Yield what to do while `app` waits for the response which `read` accepts."""
    with hidden_lines() as entered, countdown() as show:

        def meanwhile(left: float) -> None:
            for line in filter(None, map(str.strip, entered())):
                response = _read(line, read)
                if response.outcome is not Outcome.FORGED:
                    app.give(response)
                    return
                click.echo(
                    f"{_CLEAR if sys.stderr.isatty() else ''}This is not the address that belongs to this sign-in. "
                    "Copy it again, from http:// to its end.",
                    err=True,
                )
            show(left)

        yield meanwhile


def _read(line: str, read: Read) -> AuthorizationResponse:
    """Read a pasted redirect: its whole address, or the part after the question mark."""
    try:
        query = urlsplit(line).query
    except ValueError:
        query = ""
    return read(parse_qs(query or line, keep_blank_values=True))

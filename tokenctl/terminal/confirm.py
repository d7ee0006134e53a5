"""Questions before something that cannot be undone."""

import sys

import click

from tokenctl.errors import TokenctlError, UsageError, one_line


def ask(warning: str, *, yes: bool) -> None:
    """Say what will happen and ask; with `yes` neither.

    Raises:
        UsageError: standard input is no terminal, so there is nobody to ask.
        TokenctlError: the answer is no.

    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"{one_line(warning)} There is nobody to ask: say --yes to go on. Nothing was changed.")
    click.echo(warning, err=True)
    if not click.confirm("Go on?", err=True):
        raise TokenctlError("Nothing was changed.")

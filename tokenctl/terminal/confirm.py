"""Asking before something that cannot be undone."""

import click

from tokenctl.errors import TokenctlError, UsageError, one_line
from tokenctl.terminal.standard_input import is_terminal


def confirm(warning: str, *, yes: bool) -> None:
    """Say what will happen and ask whether to continue; with `yes`, do neither.

    Raises:
        UsageError: standard input is not a terminal, so nobody can answer.
        TokenctlError: the operator answered no.

    """
    if yes:
        return
    if not is_terminal():
        raise UsageError(
            f"{one_line(warning)} Nobody can confirm this here, because standard input is not a terminal. Nothing was "
            "changed. Add --yes to continue without a question."
        )
    click.echo(warning, err=True)
    if not click.confirm("Go on?", err=True):
        raise TokenctlError("Nothing was changed.")

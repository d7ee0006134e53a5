"""The arguments that name connections."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from refresh_token.fleet.names import NAME_RULE, is_name
from tokenctl.errors import UsageError

Command = TypeVar("Command", bound=Callable[..., Any])


def check_names(_ctx: click.Context, _parameter: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names; raises UsageError without showing them: one may be a misplaced token."""
    for name in value:
        checked_name(name)
    return value


def checked_name(name: str) -> str:
    """Return the name; raises UsageError without showing it: it may be a misplaced token."""
    if is_name(name):
        return name
    raise UsageError(f"The name of a connection {NAME_RULE}.")


def name_argument(command: Command) -> Command:
    """Add the argument; the command receives a `name`."""
    return click.argument("name", metavar="CONNECTION", callback=_check_name)(command)


def _check_name(ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    return check_names(ctx, parameter, (value,))[0]

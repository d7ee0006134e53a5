"""The words of a command line that choose connections."""

import functools
from collections.abc import Callable
from typing import Any, Final

import click

from tokenctl.connections.choice import Choice
from tokenctl.connections.listing import STATE_NAMES
from tokenctl.connections.name import check_names

Command = Callable[..., Any]

_OPTIONS: Final = (
    click.argument("names", nargs=-1, metavar="[CONNECTION]...", callback=check_names),
    click.option(
        "--state",
        "states",
        multiple=True,
        type=click.Choice(STATE_NAMES),
        help="All in this state; repeat it.",
    ),
    click.option("--provider", metavar="NAME", help="All of this provider."),
    click.option("--tenant", metavar="NAME", help="All whose name is this, or begins with this and a slash."),
)


def choice_options(command: Command) -> Command:
    """Add the words; the command receives a `choice` instead."""

    @functools.wraps(command)
    def with_choice(
        *,
        names: tuple[str, ...],
        states: tuple[str, ...],
        provider: str | None,
        tenant: str | None,
        **others: Any,  # noqa: ANN401 - the command's own
    ) -> Any:  # noqa: ANN401 - the command's own
        choice = Choice(names=names, states=states, provider=provider, tenant=tenant)
        return command(choice=choice, **others)

    wrapped: Command = with_choice
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped

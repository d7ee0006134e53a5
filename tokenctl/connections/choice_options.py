"""The words of a command line that choose connections."""

import functools
from collections.abc import Callable
from typing import Any, Final

import click

from tokenctl.connections.choice import Choice
from tokenctl.connections.listing import STATE_NAMES, Filters
from tokenctl.connections.name import check_names

Command = Callable[..., Any]
Option = Callable[[Command], Command]

_FILTERS: Final[tuple[Option, ...]] = (
    click.option(
        "--state", "states", multiple=True, type=click.Choice(STATE_NAMES), help="Those in this state; repeat it."
    ),
    click.option("--provider", metavar="NAME", help="Those of this provider."),
    click.option("--tenant", metavar="NAME", help="Those whose name is this, or begins with this and a slash."),
)


def filter_options(command: Command) -> Command:
    """Add the filters; the command receives `filters` instead."""

    @functools.wraps(command)
    def with_filters(*, states: tuple[str, ...], provider: str | None, tenant: str | None, **others: Any) -> Any:  # noqa: ANN401 - the command's own
        return command(filters=Filters(states=states, provider=provider, tenant=tenant), **others)

    return _with(with_filters, _FILTERS)


def choice_options(command: Command, *, or_all: bool = False) -> Command:
    """Add names and filters; the command receives a `choice` instead. Without any, that is of all if `or_all`."""

    @functools.wraps(command)
    def with_choice(*, names: tuple[str, ...], filters: Filters, **others: Any) -> Any:  # noqa: ANN401 - the command's own
        return command(choice=Choice(names=names, filters=filters, or_all=or_all), **others)

    names = click.argument("names", nargs=-1, metavar="[CONNECTION]...", callback=check_names)
    return _with(filter_options(with_choice), (names,))


def name_options(command: Command) -> Command:
    """Add names, of which there must be one; the command receives a `choice` instead."""

    @functools.wraps(command)
    def with_choice(*, names: tuple[str, ...], **others: Any) -> Any:  # noqa: ANN401 - the command's own
        return command(choice=Choice(names=names), **others)

    names = click.argument("names", nargs=-1, required=True, metavar="CONNECTION...", callback=check_names)
    return _with(with_choice, (names,))


def _with(command: Command, options: tuple[Option, ...]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command

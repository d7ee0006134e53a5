"""A group of commands, with the AWS CLI's habits."""

import importlib
import keyword
from collections.abc import Iterator, Mapping
from typing import Any, Final

import click

from tokenctl.aws_style.output_options import OUTPUT_OPTIONS
from tokenctl.aws_style.parser import expand_options
from tokenctl.aws_style.target_options import TARGET_OPTIONS, Command, with_options

_SETTINGS: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class LazyGroup(click.Group):
    """A group that imports commands when they are used, and accepts the global options before the command as well."""

    def __init__(self, *, table: Mapping[str, str], package: str, **settings: Any) -> None:  # noqa: ANN401 - click's
        super().__init__(**settings)
        self._table = table
        self._package = package

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the order of the help."""
        return list(self._table)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Return a command, or None if there is none of that name."""
        if name not in self._table:
            return None
        identifier = name.replace("-", "_") + "_" * keyword.iskeyword(name)
        command = getattr(importlib.import_module(f"{self._package}.{identifier}"), identifier)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one line for each command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._table.items()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words before the command, and pass them on to a command that has the global options."""
        words = [*args[1:], "--help"] if args[:1] == ["help"] else list(args)
        expanded, positions = expand_options(words, self.params)
        split = positions[0] if positions else len(words)
        before, rest = expanded[:split], words[split:]
        super().parse_args(ctx, [*before, *rest])
        command = self.get_command(ctx, rest[0]) if rest else None
        if command is not None:
            ctx.args = [*self._those_of(command, before), *rest[1:]]
        return ctx.args

    def _those_of(self, command: click.Command, words: list[str]) -> Iterator[str]:
        """Yield those options, with their values, that the command has as well."""
        options = {name for parameter in self.params for name in parameter.opts}
        taken = {name for parameter in command.params for name in parameter.opts}
        goes_on = False
        for word in words:
            name = word.partition("=")[0]
            goes_on = name in taken if name in options else goes_on
            if goes_on:
                yield word


def lazy_group(name: str, described: Command, *, commands: Mapping[str, str], package: str, epilog: str) -> click.Group:
    """Return a group with the global options.

    Args:
        name: The group's name.
        described: Its docstring is the group's help. It receives the options, and has nothing to do.
        commands: Each command and its line in the help. Its module is imported only when it is used, so that the help
            starts fast.
        package: Where the modules of the commands are.
        epilog: The examples at the end of the help.

    """
    with_globals = with_options(described, (*TARGET_OPTIONS, *OUTPUT_OPTIONS))
    group = click.group(
        cls=LazyGroup, name=name, context_settings=_SETTINGS, epilog=epilog, table=commands, package=package
    )
    return group(with_globals)

"""The habits of the AWS CLI's argument parser that click does not have.

* `help` after the command shows its help;
* an option may be shortened to what tells it apart, the global ones first: `--pro` is `--profile`;
* a word that starts with a dash is not taken as the value of the option before it, unless it is a number or holds a
  space: a forgotten value is an error, not a token in the wrong place.
"""

import re
from collections.abc import Iterable
from typing import Final

import click

from cli.errors import UsageError

_NUMBER: Final = re.compile(r"-\d+|-\d*\.\d+")


class AwsCommand(click.Command):
    """A command that reads its words as `aws` does; `globals_` are the options of every command."""

    globals_: tuple[str, ...] = ()

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words after the command's name."""
        if args == ["help"]:
            args = ["--help"]
        return super().parse_args(ctx, self._as_click_reads_them(args))

    def _as_click_reads_them(self, words: list[str]) -> list[str]:
        options = {name: option for option in self.params if isinstance(option, click.Option) for name in option.opts}
        own = [name for name in options if name not in self.globals_]
        read: list[str] = []
        waiting: str | None = None
        for word in words:
            if waiting and _looks_like_an_option(word, options):
                raise UsageError(f"{waiting} expects one value.")
            if waiting or not word.startswith("--"):
                read.append(word)
                waiting = None
                continue
            typed, equals, value = word.partition("=")
            full = _completed(typed, self.globals_) or _completed(typed, own) or typed
            read.append(f"{full}{equals}{value}")
            option = options.get(full)
            takes_value = option is not None and not option.is_flag and not option._flag_needs_value  # noqa: SLF001 - click has no public name for it
            waiting = full if takes_value and not equals else None
        return read


def _looks_like_an_option(word: str, options: Iterable[str]) -> bool:
    if word.partition("=")[0] in options:
        return True
    return len(word) > 1 and word.startswith("-") and " " not in word and not _NUMBER.fullmatch(word)


def _completed(typed: str, names: Iterable[str]) -> str | None:
    """Return the one name that `typed` is, or is the beginning of."""
    found = [name for name in names if name.startswith(typed)]
    return typed if typed in found else found[0] if len(found) == 1 else None

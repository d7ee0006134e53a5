"""The habits of the AWS CLI's argument parser that click does not have.

* The word `help` anywhere after a command shows the command's help; an empty word in its place is ignored.
* An option may be shortened as long as it stays unique. Global options come first: `--pro` is `--profile`, never
  `--provider`.
* A word that starts with a dash is not taken as the value of the option before it, unless it is a number or holds a
  space: a forgotten value is an error, rather than a token in the wrong place.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Final

import click

from tokenctl.aws_style.aws_globals import AWS_GLOBALS
from tokenctl.errors import UsageError

_NUMBER: Final = re.compile(r"-\d+|-\d*\.\d+")


class AwsCommand(click.Command):
    """A command that parses its arguments as `aws` does."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words after the command's name."""
        words, positions = expand_options(args, self.params)
        for position in positions[:1]:
            if words[position] == "help":
                words = ["--help"]
            elif not words[position]:
                del words[position]
        return super().parse_args(ctx, words)


def expand_options(words: Sequence[str], parameters: Iterable[click.Parameter]) -> tuple[list[str], list[int]]:
    """Return the words with shortened options in full, and the positions of the words that belong to no option.

    Raises:
        UsageError: an option that needs a value is followed by another option.

    """
    options = {name: option for option in parameters if isinstance(option, click.Option) for name in option.opts}
    expanded: list[str] = []
    positions: list[int] = []
    previous: click.Option | None = None  # the option whose value may come next
    for word in words:
        if previous and _looks_like_an_option(word, options):
            if not previous._flag_needs_value:  # noqa: SLF001 - click has no public name for "the value is optional"
                raise UsageError(f"{previous.opts[0]} expects one value.")
            previous = None
        if previous or not word.startswith("--"):
            if not previous and not (len(word) > 1 and word.startswith("-")):
                positions.append(len(expanded))
            expanded.append(word)
            previous = None
            continue
        typed, equals, value = word.partition("=")
        full = _full_name(typed, options)
        expanded.append(f"{full}{equals}{value}")
        option = options.get(full)
        previous = option if option is not None and not option.is_flag and not equals else None
    return expanded, positions


def _full_name(typed: str, names: Collection[str]) -> str:
    """Return the only option that starts with `typed`; `typed` itself if there is none, or more than one."""
    for group in ([name for name in names if name in AWS_GLOBALS], names):
        found = [name for name in group if name.startswith(typed)]
        if typed in found or len(found) > 1:
            return typed
        if found:
            return found[0]
    return typed


def _looks_like_an_option(word: str, options: Collection[str]) -> bool:
    if word.partition("=")[0] in options:
        return True
    return len(word) > 1 and word.startswith("-") and " " not in word and not _NUMBER.fullmatch(word)

"""The habits of the AWS CLI's argument parser that click does not have.

* the word `help` after a command shows its help, wherever it stands; an empty word in its place is nothing;
* an option may be shortened to what tells it apart, the global ones first: `--pro` is `--profile`, never `--provider`;
* a word that starts with a dash is not taken as the value of the option before it, unless it is a number or holds a
  space: a forgotten value is an error, not a token in the wrong place.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Final

import click

from tokenctl.aws_style.options import AWS_GLOBALS
from tokenctl.errors import UsageError

_NUMBER: Final = re.compile(r"-\d+|-\d*\.\d+")


class AwsCommand(click.Command):
    """A command that reads its words as `aws` does."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words after the command's name."""
        words, positions = spelled_out(args, self.params)
        for position in positions[:1]:
            if words[position] == "help":
                words = ["--help"]
            elif not words[position]:
                del words[position]
        return super().parse_args(ctx, words)


def spelled_out(words: Sequence[str], parameters: Iterable[click.Parameter]) -> tuple[list[str], list[int]]:
    """Return the words with shortened options in full, and where those stand that belong to no option.

    Raises:
        UsageError: an option that needs a value is followed by another option.

    """
    options = {name: option for option in parameters if isinstance(option, click.Option) for name in option.opts}
    read: list[str] = []
    positions: list[int] = []
    before: click.Option | None = None
    for word in words:
        if before and _looks_like_an_option(word, options):
            if not before._flag_needs_value:  # noqa: SLF001 - click has no public name for "the value may be left out"
                raise UsageError(f"{before.opts[0]} expects one value.")
            before = None
        if before or not word.startswith("--"):
            if not before and not (len(word) > 1 and word.startswith("-")):
                positions.append(len(read))
            read.append(word)
            before = None
            continue
        typed, equals, value = word.partition("=")
        full = completed(typed, options)
        read.append(f"{full}{equals}{value}")
        option = options.get(full)
        before = option if option is not None and not option.is_flag and not equals else None
    return read, positions


def completed(typed: str, names: Collection[str]) -> str:
    """Return the one option that `typed` is, or is the beginning of; `typed` itself where there is none, or several."""
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

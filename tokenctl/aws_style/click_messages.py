"""What click says about a wrong command line, on one line and without the words that were given: one may be a token."""

from difflib import get_close_matches

import click
from click.exceptions import BadParameter, MissingParameter, NoSuchCommand, NoSuchOption, UsageError

from tokenctl.errors import name, one_line


def in_one_line(error: click.ClickException) -> str:
    """Return the message, with the command that helps."""
    ctx = error.ctx if isinstance(error, UsageError) else None
    said = one_line(_said(error)).rstrip(".")
    return f"{said}. See `{ctx.command_path if ctx else 'tokenctl'} --help`."


def _said(error: click.ClickException) -> str:
    if isinstance(error, NoSuchOption):
        return _unknown("option", error.option_name, error.possibilities)
    if isinstance(error, NoSuchCommand):
        commands = error.ctx.command.list_commands(error.ctx) if error.ctx else []  # type: ignore[attr-defined] # a group
        return _unknown("command", error.command_name, get_close_matches(error.command_name, commands))
    if isinstance(error, BadParameter) and not isinstance(error, MissingParameter):
        return _bad(error)
    if error.format_message().startswith("Got unexpected extra argument"):
        return "There is a word too many; quote a value that holds spaces"
    return error.format_message()


def _bad(error: BadParameter) -> str:
    hint = error.param.get_error_hint(error.ctx) if error.param and error.ctx else "the value"
    kind = error.param.type if error.param else None
    if isinstance(kind, click.Choice):
        return f"{hint} must be one of {', '.join(map(str, kind.choices))}"
    if isinstance(kind, click.types.IntParamType | click.types.FloatParamType):
        least, most = getattr(kind, "min", None), getattr(kind, "max", None)
        bounds = [f"at least {least}"] * (least is not None) + [f"at most {most}"] * (most is not None)
        return f"{hint} must be a number{' of ' if bounds else ''}{' and '.join(bounds)}"
    return error.format_message()


def _unknown(kind: str, given: str, possibilities: list[str] | None) -> str:
    near = f"; did you mean {' or '.join(possibilities)}" if possibilities else ""
    return f"There is no {kind} {name(given)}{near}"

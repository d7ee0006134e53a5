"""click's messages about a wrong command line, on one line and without the values, of which one may be a token."""

from difflib import get_close_matches

import click
from click.exceptions import BadParameter, MissingParameter, NoSuchCommand, NoSuchOption, UsageError

from tokenctl.errors import one_line, quoted_name


def one_line_message(error: click.ClickException) -> str:
    """Return the message, followed by the command that shows the help."""
    ctx = error.ctx if isinstance(error, UsageError) else None
    message = one_line(_safe_message(error)).rstrip(".")
    return f"{message}. See `{ctx.command_path if ctx else 'tokenctl'} --help`."


def _safe_message(error: click.ClickException) -> str:
    if isinstance(error, NoSuchOption):
        return _unknown("option", error.option_name, error.possibilities)
    if isinstance(error, NoSuchCommand):
        commands = error.ctx.command.list_commands(error.ctx) if error.ctx else []  # type: ignore[attr-defined] # a group
        return _unknown("command", error.command_name, get_close_matches(error.command_name, commands))
    if isinstance(error, BadParameter) and not isinstance(error, MissingParameter):
        return _bad_value(error)
    if error.format_message().startswith("Got unexpected extra argument"):
        return "There is an unexpected word; quote a value that contains spaces"
    return error.format_message()


def _bad_value(error: BadParameter) -> str:
    parameter = error.param.get_error_hint(error.ctx) if error.param and error.ctx else "the value"
    kind = error.param.type if error.param else None
    if isinstance(kind, click.Choice):
        return f"{parameter} must be one of {', '.join(map(str, kind.choices))}"
    if isinstance(kind, click.types.IntParamType | click.types.FloatParamType):
        minimum, maximum = getattr(kind, "min", None), getattr(kind, "max", None)
        bounds = [f"at least {minimum}"] * (minimum is not None) + [f"at most {maximum}"] * (maximum is not None)
        return f"{parameter} must be a number{' of ' if bounds else ''}{' and '.join(bounds)}"
    return error.format_message()


def _unknown(kind: str, name: str, possibilities: list[str] | None) -> str:
    suggestion = f"; did you mean {' or '.join(possibilities)}" if possibilities else ""
    return f"There is no {kind} {quoted_name(name)}{suggestion}"

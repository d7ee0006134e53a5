"""The options `--output`, `--query` and `--color`."""

import functools
from typing import Any, Final

import click

from tokenctl.aws_style.output import FORMATS, Output
from tokenctl.aws_style.target_options import Command, Option, complete_from, with_options
from tokenctl.errors import UsageError


def output_options(command: Command) -> Command:
    """Add the options; the command receives an `output` instead."""
    return _with_output(command, OUTPUT_OPTIONS)


def aws_output_options(command: Command) -> Command:
    """Add the options to a command that prints its answer exactly as the AWS CLI does."""
    return _with_output(command, AWS_OUTPUT_OPTIONS)


def _with_output(command: Command, options: tuple[Option, ...]) -> Command:

    @functools.wraps(command)
    def with_output(*, output: str | None, query: str | None, color: str, **others: Any) -> Any:  # noqa: ANN401 - the command's own
        compiled = None if query is None else _compiled(query)  # not in a callback: the last of repeated options counts
        return command(output=Output(format=output, query=compiled, color=color), **others)

    return with_options(with_output, options)


def _last_format(_ctx: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> str | None:
    """Return the last format. As in the AWS CLI, a wrong one is refused even if another one follows."""
    if not {*values} <= {*FORMATS}:
        raise UsageError(f"--output must be one of {', '.join(FORMATS)}.")
    return values[-1] if values else None


def _last(_ctx: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> str:
    return values[-1]


def _compiled(query: str) -> Any:  # noqa: ANN401 - JMESPath's
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        return jmespath.compile(query)
    except (JMESPathError, ValueError):
        pass
    raise UsageError("Bad value for --query: it is not a JMESPath expression, such as accessToken; see jmespath.org.")


def _options(default: str) -> tuple[Option, ...]:
    """Return the options; `default` describes what is printed without `--output`."""
    return (
        click.option(
            "--output",
            multiple=True,
            callback=_last_format,
            metavar=f"[{'|'.join(FORMATS)}]",
            shell_complete=complete_from(*FORMATS),
            help=f"Format of the answer. Default: {default}.",
        ),
        click.option("--query", help="JMESPath expression to apply to the answer."),
        click.option(
            "--color",
            type=click.Choice(["on", "off", "auto"]),
            multiple=True,
            default=["auto"],
            callback=_last,
            help="Colours; auto: on a terminal.",
        ),
    )


OUTPUT_OPTIONS: Final = _options("text for people")
AWS_OUTPUT_OPTIONS: Final = _options("that of the AWS configuration, or json")

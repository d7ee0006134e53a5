"""How an answer is shown: `--output`, `--query`, `--color`, with the AWS CLI's own formatters."""

import functools
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, Final, TextIO

import click

from tokenctl.aws_style.options import Command, completing, refused, with_options
from tokenctl.errors import ConfigurationError, TokenctlError, UsageError
from tokenctl.stack.target import Connection

FORMATS: Final = ("json", "yaml", "text", "table")


@dataclass(frozen=True, kw_only=True)
class Output:
    """What the operator asked for; without a format the AWS configuration decides."""

    format: str | None = None
    """One of FORMATS."""
    query: Any = None
    """A compiled JMESPath expression."""
    color: str = "auto"

    @property
    def asked_for(self) -> bool:
        """Whether a format or a part of the answer was asked for, in place of what people read."""
        return self.format is not None or self.query is not None

    @property
    def colored(self) -> bool | None:
        """Whether what people read is coloured; None leaves it to whether it is read on a terminal."""
        return {"on": True, "off": False}.get(self.color)

    def settled(self, connection: Connection) -> "Output":
        """Return the same with its format decided; raises ConfigurationError when the configured one will not do."""
        return replace(self, format=self.format or _configured_format(connection))

    def print(self, title: str, answer: Any) -> None:  # noqa: ANN401 - any JSON
        """Print an answer of our own: without a format it is JSON, whatever the AWS configuration says."""
        replace(self, format=self.format or "json").show(title, answer, Connection())

    def show(self, title: str, answer: Any, connection: Connection) -> None:  # noqa: ANN401 - any JSON
        """Print the answer; `title` heads a table. Raises TokenctlError when the query does not fit the answer."""
        from jmespath.exceptions import JMESPathError

        from tokenctl.aws_style.aws_cli import get_formatter

        wanted = self.format or _configured_format(connection)
        settings = SimpleNamespace(query=self.query, color=self.color)
        formatter = _yaml_formatter(settings) if wanted == "yaml" else get_formatter(wanted, settings)
        stream = _Watched(sys.stdout)  # only now: for colours, the formatter has put a stream of its own there
        try:
            formatter(title, answer, stream)
        except JMESPathError as error:
            fault = type(error).__name__  # its text shows the value that did not fit
        else:
            stream.check()
            return
        raise TokenctlError(f"--query cannot be applied to the answer of {title} ({fault}).")


def output_options(command: Command) -> Command:
    """Add the options; the command gets an `output` in their place."""
    return _with_output(command, OUTPUT_OPTIONS)


def aws_output_options(command: Command) -> Command:
    """Add the options to a command whose answer is shown as the AWS CLI shows it."""
    return _with_output(command, AWS_OUTPUT_OPTIONS)


def _with_output(command: Command, options: tuple[Callable[[Any], Any], ...]) -> Command:

    @functools.wraps(command)
    def with_output(*, output: str | None, query: Any, color: str, **others: Any) -> Any:  # noqa: ANN401 - the command's own
        return command(output=Output(format=output, query=query, color=color), **others)

    return with_options(with_output, options)


def _format(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value == "yaml-stream":
        refused("--output yaml-stream", "there is one answer; use yaml")
    if value is not None and value not in FORMATS:
        raise UsageError(f"--output must be one of {', '.join(FORMATS)}.")
    return value


def _query(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> Any:  # noqa: ANN401 - as above
    if value is None:
        return None
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        return jmespath.compile(value)
    except (JMESPathError, ValueError):
        pass
    raise UsageError("Bad value for --query: it is not a JMESPath expression, such as accessToken; see jmespath.org.")


def _configured_format(connection: Connection) -> str:
    """Return the format of the environment variables and configuration files that the AWS CLI reads."""
    from tokenctl.stack.target import explained

    with explained():
        profile = connection.session._session.get_scoped_config()  # noqa: SLF001 - boto3 does not hand it on
    wanted = os.environ.get("AWS_DEFAULT_OUTPUT") or profile.get("output") or "json"
    if wanted not in FORMATS:
        raise ConfigurationError(
            "The `output` of your AWS configuration or AWS_DEFAULT_OUTPUT must be one of "
            f"{', '.join(FORMATS)} for tokenctl. Change it, or give --output."
        )
    return str(wanted)


class _Watched:
    """A stream that remembers that it could not be written to: the formatters keep that to themselves."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._fault: OSError | None = None

    def write(self, text: str) -> None:
        """Write; raises OSError."""
        try:
            self._stream.write(text)
        except OSError as error:
            self._fault = error
            raise

    def flush(self) -> None:
        """Write what is buffered; raises OSError."""
        try:
            self._stream.flush()
        except OSError as error:
            self._fault = error
            raise

    def check(self) -> None:
        """Raise the OSError that there was, if there was one."""
        if self._fault is not None:
            raise self._fault


def _yaml_formatter(settings: SimpleNamespace) -> Callable[[str, Any, Any], None]:
    from tokenctl.aws_style.aws_cli import FullyBufferedFormatter
    from tokenctl.aws_style.yaml_1_2 import dump

    class YamlFormatter(FullyBufferedFormatter):  # type: ignore[misc] # awscli has no types
        """The AWS CLI v2 has one; version 1, which is the one on PyPI, does not."""

        def _format_response(self, _title: str, response: Any, stream: Any) -> None:  # noqa: ANN401 - any JSON
            if response != {}:
                dump(response, stream)

    formatter: Callable[[str, Any, Any], None] = YamlFormatter(settings)
    return formatter


def _options(without: str) -> tuple[Callable[[Any], Any], ...]:
    """Return the options; `without` says what is shown without `--output`."""
    return (
        click.option(
            "--output",
            callback=_format,
            metavar=f"[{'|'.join(FORMATS)}]",
            shell_complete=completing(*FORMATS),
            help=f"Format of the answer. Without it: {without}.",
        ),
        click.option("--query", callback=_query, help="JMESPath expression applied to the answer."),
        click.option(
            "--color", type=click.Choice(["on", "off", "auto"]), default="auto", help="Colours; auto: on a terminal."
        ),
    )


OUTPUT_OPTIONS: Final = _options("what people read")
AWS_OUTPUT_OPTIONS: Final = _options("as the AWS configuration says, or json")

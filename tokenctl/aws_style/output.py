"""Printing an answer as the AWS CLI does: `--output`, `--query` and `--color`, with the AWS CLI's own formatters."""

import json
import os
import sys
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, replace
from io import StringIO
from textwrap import indent
from types import SimpleNamespace
from typing import Any, Final

from tokenctl.errors import ConfigurationError, TokenctlError
from tokenctl.stack.aws_access import AwsAccess
from tokenctl.streams import require_reader

FORMATS: Final = ("json", "yaml", "text", "table", "yaml-stream")


@dataclass(frozen=True, kw_only=True)
class Output:
    """The operator's output options; without a format, the AWS configuration decides."""

    format: str | None = None
    """One of FORMATS."""
    query: Any = None
    """A compiled JMESPath expression."""
    color: str = "auto"

    @property
    def is_structured(self) -> bool:
        """Whether the operator chose a format or a query, rather than text for people."""
        return self.format is not None or self.query is not None

    @property
    def colored(self) -> bool | None:
        """Whether text for people is coloured; None: only on a terminal. See no-color.org for the variable."""
        plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        return {"on": True, "off": False}.get(self.color, False if plain else None)

    def with_format(self, aws: AwsAccess) -> "Output":
        """Return these options with a format; raises ConfigurationError if the configured one is not supported."""
        return replace(self, format=self.format or _configured_format(aws))

    def print(self, title: str, answer: Any) -> None:  # noqa: ANN401 - any JSON
        """Print an answer that the AWS CLI does not know: as JSON by default, whatever the AWS configuration says."""
        replace(self, format=self.format or "json").show(title, answer, AwsAccess())

    def print_list(self, title: str, rows: Iterable[Any]) -> None:
        """Print a list: as JSON without a query row by row, as they come, and otherwise when it is complete."""
        if self.query is not None or self.format not in {None, "json"}:
            self.print(title, list(rows))
            return
        separator = "[\n"
        for row in rows:
            text = indent(json.dumps(row, indent=4, ensure_ascii=False), "    ")
            sys.stdout.write(f"{separator}{text}")
            separator = ",\n"
        sys.stdout.write("[]\n" if separator == "[\n" else "\n]\n")

    def show(self, title: str, answer: Any, aws: AwsAccess) -> None:  # noqa: ANN401 - any JSON
        """Print the answer; `title` is the heading of a table. Raises TokenctlError if the query does not fit."""
        from tokenctl.aws_style.formatters import CheckedStream, formatter_for

        settings = SimpleNamespace(query=self.query, color=self.color)
        formatter = formatter_for(self.format or _configured_format(aws), settings)
        stream = CheckedStream(sys.stdout)  # only now: a formatter that colours its output replaces sys.stdout
        try:
            formatter(title, answer, stream)
        except (OSError, UnicodeEncodeError):
            raise
        except Exception as error:  # noqa: BLE001 - jmespath's and, if the result does not fit the format, any of Python's
            fault = type(error).__name__  # the error's text shows the value
        else:
            stream.raise_if_failed()
            return
        raise _misfit(title, fault)

    def check(self, title: str, sample: Any) -> None:  # noqa: ANN401 - any JSON
        """Check with a sample answer, before something that cannot be undone, that the answer can be printed.

        Text for people always can.

        Raises:
            TokenctlError: the query does not fit the answer, its result does not fit the format, or nobody reads it.
            UnicodeEncodeError: the encoding of standard output lacks one of the characters.

        """
        require_reader()
        if not self.is_structured:
            return
        from tokenctl.aws_style.formatters import formatter_for

        formatter = formatter_for(self.format or "json", SimpleNamespace(query=self.query, color="off"))
        printed = StringIO()
        try:
            formatter(title, copy(sample), printed)
            printed.getvalue().encode(sys.stdout.encoding, sys.stdout.errors or "strict")
        except UnicodeEncodeError:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            fault = type(error).__name__
        else:
            return
        raise _misfit(title, fault)


def _misfit(title: str, fault: str) -> TokenctlError:
    return TokenctlError(
        f"The answer of {title} cannot be printed with this --query and --output ({fault}). Correct the expression."
    )


def _configured_format(aws: AwsAccess) -> str:
    """Return the format that the AWS CLI would take from the environment variables and configuration files."""
    configured = aws.configured_output or "json"
    if configured not in FORMATS:
        raise ConfigurationError(
            "The `output` of your AWS configuration or AWS_DEFAULT_OUTPUT must be one of "
            f"{', '.join(FORMATS)} for tokenctl. Change it, or give --output."
        )
    return configured

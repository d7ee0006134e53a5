"""The AWS CLI's formatters, with YAML, which its version 1 lacks. Slow to import."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, TextIO

from tokenctl.aws_style.aws_cli import FullyBufferedFormatter, get_formatter
from tokenctl.aws_style.yaml_1_2 import dump

Formatter = Callable[[str, Any, Any], None]
"""Takes a title, an answer and a stream."""


def formatter_for(output_format: str, settings: SimpleNamespace) -> Formatter:
    """Return the formatter; `settings` has the attributes `query` and `color`."""
    own = {"yaml": YamlFormatter, "yaml-stream": YamlStreamFormatter}.get(output_format)
    formatter: Formatter = own(settings) if own else get_formatter(output_format, settings)
    return formatter


class YamlFormatter(FullyBufferedFormatter):  # type: ignore[misc] # awscli has no types
    """Prints what the AWS CLI v2 prints as YAML; PyPI has only version 1, which does not know it."""

    def _format_response(self, _title: str, response: Any, stream: Any) -> None:  # noqa: ANN401 - any JSON
        if response != {}:
            dump(response, stream)


class YamlStreamFormatter(YamlFormatter):
    """Prints a list with one item for each answer, of which there is only one here."""

    def _format_response(self, title: str, response: Any, stream: Any) -> None:  # noqa: ANN401 - any JSON
        if response != {}:
            super()._format_response(title, [response], stream)


class CheckedStream:
    """Remembers the OSError of a write that failed: the AWS CLI's formatters suppress it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._error: OSError | None = None

    def write(self, text: str) -> None:
        """Write text; raises OSError."""
        try:
            self._stream.write(text)
        except OSError as error:
            self._error = error
            raise

    def flush(self) -> None:
        """Flush the stream; raises OSError."""
        try:
            self._stream.flush()
        except OSError as error:
            self._error = error
            raise

    def raise_if_failed(self) -> None:
        """Raise the OSError of a write that failed, if any did."""
        if self._error is not None:
            raise self._error

"""What an operator gives that nobody shall see: from a file, from standard input, or typed at hidden prompts."""

import sys
from pathlib import Path
from typing import Any

import click

from tokenctl.errors import UsageError


def is_typed(source: str | None) -> bool:
    """Tell whether it is to be asked for: no file was named, and standard input is a terminal."""
    return source is None and sys.stdin.isatty()


def given_text(source: str | None, what: str) -> str:
    """Return the text of a file, or of standard input for `-` and None; raises UsageError."""
    try:
        raw = sys.stdin.buffer.read() if source in {None, "-"} else Path(str(source)).read_bytes()
        return raw.decode("utf-8-sig")
    except OSError as error:
        # Its name is not shown: it may be a token that went astray.
        fault = f"The file that --from names cannot be read ({error.strerror}). Name a file, or - for standard input."
    except UnicodeDecodeError:
        fault = f"What was given is not {what}: it is not UTF-8 text. Nothing was stored."
    raise UsageError(fault)


def hidden(label: str, **more: Any) -> str:  # noqa: ANN401 - click's
    """Ask for one value; what is typed is not shown."""
    return str(click.prompt(label, hide_input=True, err=True, **more)).strip()

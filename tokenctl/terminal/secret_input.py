"""Secrets that the operator enters: from a file, from standard input, or typed at hidden prompts."""

from pathlib import Path
from typing import Any

import click

from tokenctl.errors import UsageError
from tokenctl.terminal.standard_input import binary_input, is_terminal


def should_prompt(source: str | None) -> bool:
    """Tell whether to prompt: the operator named no file, and standard input is a terminal."""
    return source is None and is_terminal()


def read_text(source: str | None, expected: str) -> str:
    """Return the text of a file, or of standard input if `source` is `-` or None; raises UsageError."""
    try:
        raw = binary_input().read() if source in {None, "-"} else Path(str(source)).read_bytes()
        return raw.decode("utf-8-sig")
    except OSError as error:
        # The file's name is not shown: it may be a misplaced token.
        fault = f"The file that --from names cannot be read ({error.strerror}). Name a file, or - for standard input."
    except UnicodeDecodeError:
        fault = f"The input is not {expected}: it is not UTF-8 text. Nothing was stored."
    raise UsageError(fault)


def prompt_hidden(label: str, **options: Any) -> str:  # noqa: ANN401 - click's
    """Prompt for one value without showing what is typed."""
    return str(click.prompt(label, hide_input=True, err=True, **options)).strip()

"""Text in a column of its own."""

import re
import shutil
import sys
import textwrap
from typing import Final

MIN_WIDTH: Final = 30

_UNBREAKABLE: Final = "\N{NO-BREAK SPACE}"


def in_column(text: str, *, indent: int) -> str:
    """Return the text, wrapped on a terminal so that its further lines begin after `indent` characters.

    Elsewhere it stays one line, which is easier to search. No line ends within a word or a `command`, so that they can
    be copied: what is too long, the terminal itself continues on its next line.
    """
    if not sys.stdout.isatty():
        return text
    width = max(shutil.get_terminal_size().columns - indent, MIN_WIDTH)
    whole = re.sub(r"`[^`]*`", lambda command: command[0].replace(" ", _UNBREAKABLE), text)
    lines = textwrap.wrap(whole, width, break_on_hyphens=False, break_long_words=False)
    return f"\n{' ' * indent}".join(lines).replace(_UNBREAKABLE, " ")

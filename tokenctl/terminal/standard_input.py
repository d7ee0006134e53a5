"""Standard input, which may be closed (`<&-`): then it is neither a terminal nor does it hold anything."""

import sys
from io import BytesIO
from typing import BinaryIO


def is_terminal() -> bool:
    """Tell whether somebody can type."""
    return sys.stdin is not None and sys.stdin.isatty()


def binary_input() -> BinaryIO:
    """Return what to read bytes from."""
    return BytesIO() if sys.stdin is None else sys.stdin.buffer

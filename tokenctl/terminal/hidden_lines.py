"""Lines that the operator pastes while the command waits for something else."""

import os
import re
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tokenctl.terminal.standard_input import is_terminal

if sys.platform != "win32":
    import termios

Lines = Callable[[], list[str]]
"""Returns the lines that were entered since its last call."""


def can_paste() -> bool:
    """Tell whether somebody can paste lines: standard input is a terminal, and this command is in its foreground."""
    if sys.platform == "win32" or not is_terminal():
        return False
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except OSError:
        return True  # it is not the controlling terminal, which alone has a background


@contextmanager
def hidden_lines() -> Iterator[Lines]:
    """Do not show what is typed until the block ends, and yield what reads it without waiting.

    Nothing is read unless `can_paste`. The terminal's own editing of lines is off, because it cuts them off after 4095
    characters, which the address of a redirect can exceed.
    """
    if sys.platform == "win32" or not can_paste():
        yield list
        return
    terminal = sys.stdin.fileno()
    before, changed = termios.tcgetattr(terminal), termios.tcgetattr(terminal)
    changed[3] &= ~(termios.ECHO | termios.ICANON)
    entered = bytearray()

    def read() -> list[str]:
        while select.select([terminal], [], [], 0)[0] and (chunk := os.read(terminal, 65536)):
            entered.extend(chunk)
        *lines, rest = re.split(rb"[\r\n]", bytes(entered))
        entered[:] = rest
        return [line.decode(errors="replace") for line in lines]

    termios.tcsetattr(terminal, termios.TCSANOW, changed)
    try:
        yield read
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)  # the shell must not get what is left

"""Runs a slow command of the set-up and says how far it is: `python local/setup_step.py WHAT COMMAND...`.

make runs this file before there is anything to import, so it needs the standard library only. On a terminal it redraws
one line. Elsewhere, as in CI, it prints a line every ten seconds. If the command fails, it prints the command's last
lines and exits with its code.
"""

import re
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import IO, Final, TextIO

TAIL: Final = 40
REDRAW_SECONDS: Final = 0.2
PRINT_SECONDS: Final = 10.0
SHOWN: Final = 78
"""Characters of the line on a terminal, which must not wrap."""


_NEXT: Final = re.compile(r"Collecting (?P<name>[^=<>~! ]+)|Processing (\S*/)?(?P<file>[^-/]+)-")
"""What pip says of the next package, from an index or from a folder."""
_SIZE: Final = re.compile(r"\s+Downloading .*\((?P<size>\d[\d.]* MB)\)")


class Progress:
    """What a command is doing, from its output: pip says what it downloads and when it installs.

    `packages` is how many it will install, 0 if nobody knows.
    """

    def __init__(self, packages: int = 0) -> None:
        self.detail = ""
        self.tail: deque[str] = deque(maxlen=TAIL)
        self._packages = 0
        self._of = f" of {packages}" if packages else ""

    def read(self, output: IO[str]) -> None:
        """Follow the output until it ends."""
        for line in output:
            self.tail.append(line)
            if found := _NEXT.match(line):
                self._packages += 1
                name = found["name"] or found["file"]
                self.detail = f"package {self._packages}{self._of}, {name}"
            elif found := _SIZE.match(line):
                self.detail += f", {found['size']}"
            elif line.startswith("Installing collected packages"):
                self.detail = f"unpacking {self._packages} packages"


def run(what: str, command: list[str], *, screen: TextIO) -> int:
    """Run the command; return its exit code."""
    start = time.monotonic()
    progress = Progress(packages_of(command))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        reader = threading.Thread(target=progress.read, args=(process.stdout,), daemon=True)
        reader.start()
        _show(what, progress, process, start, screen)
        reader.join()
    took = f"{time.monotonic() - start:.0f} s"
    if process.returncode == 0:
        screen.write(f"done {what} ({took})\n")
    else:
        screen.write("".join(progress.tail) + f"FAILED {what} ({took})\n")
    screen.flush()
    return process.returncode


def packages_of(command: list[str]) -> int:
    """Count the packages in the file of requirements that the command installs; 0 if it installs none."""
    if "-r" not in command:
        return 0
    lines = Path(command[command.index("-r") + 1]).read_text(encoding="utf-8").splitlines()
    return sum("==" in line and not line.startswith((" ", "#")) for line in lines)


def _show(what: str, progress: Progress, process: subprocess.Popen[str], start: float, screen: TextIO) -> None:
    """Show the progress until the command ends."""
    is_terminal = screen.isatty()
    if not is_terminal:
        screen.write(f"     {what} ...\n")
        screen.flush()
    while True:
        try:
            process.wait(timeout=REDRAW_SECONDS if is_terminal else PRINT_SECONDS)
        except subprocess.TimeoutExpired:
            detail = f": {progress.detail}" if progress.detail else ""
            line = f"     {what}{detail} ... {time.monotonic() - start:.0f} s"
            screen.write(f"\r{line[:SHOWN]:{SHOWN}}" if is_terminal else f"{line}\n")
            screen.flush()
        else:
            break
    if is_terminal:
        screen.write(f"\r{' ' * SHOWN}\r")


if __name__ == "__main__":
    try:
        sys.exit(run(sys.argv[1], sys.argv[2:], screen=sys.stderr))
    except KeyboardInterrupt:
        sys.exit(130)

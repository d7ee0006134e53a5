"""`python -m local.standin --port 0 --port-file PATH`: runs the stand-in as its own process."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from local.standin.server import Standin


def main(argv: list[str] | None = None) -> None:
    """Serve until SIGTERM or Ctrl-C. Print the address, and move it into the port file in one step."""
    parser = argparse.ArgumentParser(prog="python -m local.standin", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 picks a free one")
    parser.add_argument("--port-file", type=Path, help="file to write the address to")
    options = parser.parse_args(argv)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with Standin(options.port) as standin:
        if options.port_file:
            partial = options.port_file.with_suffix(".partial")
            partial.write_text(standin.url)
            partial.replace(options.port_file)
        sys.stdout.write(f"{standin.url}\n")
        sys.stdout.flush()
        stopped.wait()


if __name__ == "__main__":
    main()

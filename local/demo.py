"""`make demo`: deploys to the local cloud, and shows how the schedule keeps a Figma token alive."""

import argparse
import signal
import sys
from contextlib import nullcontext
from pathlib import Path
from types import FrameType
from typing import NoReturn

from rich.console import Console
from rich.table import Table

from local.cdk_cli import SETTINGS, CdkFailedError
from local.child import LogInUseError
from local.cloud import FOLDER, LocalCloud, StandinError, exports
from local.demo_step import DemoFailedError, step
from local.demo_steps import Demo
from local.deployment import TokenctlFailedError
from local.environment import shell_file
from local.fleet_demo import MAX_SIZE, MIN_SIZE, FleetDemo
from local.ministack import MiniStackError
from local.standin.grants import CLIENT_ID

FAILURES = (
    CdkFailedError,
    DemoFailedError,
    LogInUseError,
    MiniStackError,
    StandinError,
    TimeoutError,
    TokenctlFailedError,
)
"""What can fail through no fault of the demo's own code. The user gets the message without a traceback."""


DEFAULTS = SETTINGS | {
    "TOKENCTL_STAGE": "local",
    "FIGMA_CLIENT_ID": CLIENT_ID,
    "FUNCTION_NAME_PARAMETER": "/RefreshToken/local/function-arn",
    "CONNECTIONS_FUNCTION_NAME_PARAMETER": "/RefreshToken/local/connections-function-arn",
}
"""What `cdk`, `tokenctl` and `token_client` then need not be told."""


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the local cloud running and print how to use it")
    parser.add_argument("--fleet", type=_size, metavar="N", help="show a fleet of N connections instead of one token")
    parser.add_argument("--stop", action="store_true", help="stop a local cloud that was left running")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="folder for logs and state (default: %(default)s)")
    options = parser.parse_args(arguments)
    console = Console(highlight=False)
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _interrupt)  # a shell makes background commands ignore SIGINT
    (options.folder / "env").unlink(missing_ok=True)  # of the cloud that is stopped now
    if options.stop:
        is_stopped = LocalCloud.stop_kept(options.folder)
        console.print("Stopped." if is_stopped else "Nothing is running.")
        console.print("A shell that sourced its variables still has them. Open another shell, or run this line:\n")
        console.print(f"unset {' '.join(exports('', '') | DEFAULTS)}", soft_wrap=True)
        return 0
    if LocalCloud.kept(options.folder):
        console.print("Stopping the local cloud that an earlier demo left running ...")
    try:
        with LocalCloud.start(options.folder, keep=options.keep) as cloud:
            if options.fleet:
                FleetDemo(console, cloud).run(options.fleet)
            else:
                Demo(console, cloud).run()
            if options.keep:
                _say_how_to_use(console, cloud, of_fleet=bool(options.fleet))
            with step(console, "Stop the local cloud") if not options.keep else nullcontext():
                cloud.stop()
        if not options.keep:
            _say_what_is_next(console, options.fleet)
    except KeyboardInterrupt:
        LocalCloud.stop_kept(options.folder)
        console.print("\nInterrupted. The local cloud is stopped.")
        return 130
    except FAILURES as error:
        LocalCloud.stop_kept(options.folder)
        console.print(f"\n[bold red]The demo failed:[/] {error}", soft_wrap=True)
        console.print(f"The logs are in {options.folder}. The local cloud is stopped.", soft_wrap=True)
        return 1
    return 0


def _say_what_is_next(console: Console, fleet: int | None) -> None:
    again = f"make demo FLEET={fleet} KEEP=1" if fleet else "make demo KEEP=1"
    console.print("\nWhat you can do next:\n")
    rows = [
        (again, "the same, and it stays up for you to look around"),
        *([] if fleet else [("make demo FLEET=500", "the same for many connections, while much goes wrong")]),
        ("docs/fleet.md" if fleet else "docs/quick-start.md", "what you have seen, and how to deploy it to AWS"),
    ]
    shown = Table.grid(padding=(0, 2))
    for row in rows:
        shown.add_row("", *row)
    console.print(shown)


def _say_how_to_use(console: Console, cloud: LocalCloud, *, of_fleet: bool) -> None:
    file = cloud.folder / "env"
    file.write_text(shell_file(cloud.exports | DEFAULTS), encoding="utf-8")
    shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    console.print("\nThe local cloud keeps running. To use it in a shell:\n")
    console.print(f"  source {shown}", soft_wrap=True)
    console.print("  tokenctl status")
    provider = '"$AWS_ENDPOINT_URL_AMPLIFYUIBUILDER'
    if of_fleet:
        console.print("  tokenctl connections list --state refused")
        addresses = f'--authorize-url {provider}/oauth" --token-url {provider}/oauth2/token"'
        command = f"connections authorize me/first --scope read {addresses}"
    else:
        command = f'authorize --authorize-url {provider}/oauth"'
    console.print(f"  tokenctl {command}\n", soft_wrap=True)
    if not of_fleet:
        console.print(
            "docs/quick-start.md goes on from here, to a fleet with a connection that you sign in.", soft_wrap=True
        )
    console.print("To stop it: make stop")


def _size(text: str) -> int:
    """Read the number of connections. Raises `argparse.ArgumentTypeError`."""
    if not text.isdecimal() or not MIN_SIZE <= int(text) <= MAX_SIZE:
        raise argparse.ArgumentTypeError(f"must be a whole number from {MIN_SIZE} to {MAX_SIZE}")
    return int(text)


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Handle every request to end like Ctrl-C, which stops everything."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())

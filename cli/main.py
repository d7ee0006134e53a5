"""The command group, and the one place where an error becomes a line and an exit code."""

import importlib
import sys
from typing import Final

import click

from cli.errors import TokenctlError

COMMANDS: Final[dict[str, str]] = {
    "seed": "cli.seed:seed",
    "status": "cli.status:status",
    "token": "cli.token:token",
    "refresh": "cli.refresh:refresh",
    "doctor": "cli.doctor:doctor",
}
"""Command name to `module:attribute`. A command's module is imported only when it is used: start-up is felt."""

INTERRUPTED: Final = 130
USAGE: Final = 252


class LazyGroup(click.Group):
    """A group whose commands are imported on use."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Return a command, or None where there is none of that name."""
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        return command if isinstance(command, click.Command) else None


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.pass_context
def tokenctl(ctx: click.Context, *, debug: bool) -> None:
    """Look after the Figma token pair that the stack RefreshToken-<stage> keeps alive."""
    ctx.obj = {"debug": debug}


def main(arguments: list[str] | None = None) -> None:
    """Run tokenctl and end the process with the AWS CLI's exit codes."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run tokenctl; return the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        result = tokenctl.main(words, prog_name="tokenctl", standalone_mode=False)
    except TokenctlError as error:
        if "--debug" in words:
            raise
        click.echo(f"tokenctl: {error}", err=True)
        return error.exit_code
    except click.exceptions.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    return result if isinstance(result, int) else 0

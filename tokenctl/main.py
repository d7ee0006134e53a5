"""The command group, and the one place where an error becomes a line and an exit code."""

import errno
import importlib
import os
import sys
import traceback
from typing import Final

import click

from tokenctl.aws_style.click_messages import in_one_line
from tokenctl.aws_style.options import TARGET_OPTIONS, with_options
from tokenctl.aws_style.output import OUTPUT_OPTIONS
from tokenctl.aws_style.parser import spelled_out
from tokenctl.errors import TokenctlError, UsageError

COMMANDS: Final[dict[str, str]] = {
    "app-credentials": "tokenctl.commands.app_credentials:app_credentials",
    "authorize": "tokenctl.commands.authorize:authorize",
    "seed": "tokenctl.commands.seed:seed",
    "status": "tokenctl.commands.status:status",
    "token": "tokenctl.commands.token:token",
    "refresh": "tokenctl.commands.refresh:refresh",
    "doctor": "tokenctl.commands.doctor:doctor",
    "refresh-token": "tokenctl.commands.refresh_token:refresh_token",
    "exchange-code-for-token": "tokenctl.commands.exchange_code_for_token:exchange_code_for_token",
    "completion": "tokenctl.commands.completion:completion",
}
"""Command name to `module:attribute`. A command's module is imported only when it is used: start-up is felt."""

SUMMARIES: Final[dict[str, str]] = {
    "app-credentials": "Store the client id and secret of your own app.",
    "authorize": "Sign in to Figma in the browser and store the token pair.",
    "seed": "Store a token pair that exists already.",
    "status": "Show the token's life, schedule, alarms and dead letters on one screen.",
    "token": "Print a live access token, for scripts.",
    "refresh": "Refresh the stored token now; every token handed out dies.",
    "doctor": "Check account, stack, pair and schedule, and say how to mend them.",
    "refresh-token": "Perform RefreshToken, with the AWS CLI's parameters.",
    "exchange-code-for-token": "Perform ExchangeCodeForToken, with the AWS CLI's parameters.",
    "completion": "Print the completion script of a shell.",
}
"""One line a command for `tokenctl --help`, which so imports none of them."""

EXAMPLES: Final = """\b
Examples:
  tokenctl doctor --stage prod --before-deployment
  tokenctl authorize --stage prod --client-id YOUR_APP --port 8976
  tokenctl status --stage prod --watch
  export FIGMA_TOKEN=$(tokenctl token --stage prod)
  tokenctl help refresh-token
"""

INTERRUPTED: Final = 130


class LazyGroup(click.Group):
    """A group whose commands are imported on use, and that takes the global options before the command, too."""

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

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one line a command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, SUMMARIES[name]) for name in COMMANDS])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Check the words before the command, and hand them on to it if it has the global options."""
        words = [*args[1:], "--help"] if args[:1] == ["help"] else list(args)
        read, positions = spelled_out(words, self.params)
        place = positions[0] if positions else len(words)
        before, rest = read[:place], words[place:]
        super().parse_args(ctx, [*before, *rest])
        command = self.get_command(ctx, rest[0]) if rest else None
        if command is not None and any(parameter.name == "region" for parameter in command.params):
            ctx.args = [*before, *rest[1:]]
        return ctx.args


def _tokenctl(**_options: object) -> None:
    """Look after the Figma token pair that the stack RefreshToken-<stage> keeps alive.

    The options below go before or after the command. Exit codes are the AWS CLI's: 0, 130 interrupted, 252 usage, 253
    configuration, 254 error of a service, 255 any other.
    """


_SETTINGS: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
tokenctl: Final = click.group(cls=LazyGroup, context_settings=_SETTINGS, name="tokenctl", epilog=EXAMPLES)(
    with_options(_tokenctl, (*TARGET_OPTIONS, *OUTPUT_OPTIONS))
)


def main(arguments: list[str] | None = None) -> None:
    """Run tokenctl and end the process with the AWS CLI's exit codes."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run tokenctl; return the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        result = tokenctl.main(words, prog_name="tokenctl", standalone_mode=False)
        sys.stdout.flush()
    except SystemExit:
        return _reader_gone()  # click's end for a pipe that nobody reads
    except BrokenPipeError:
        return _reader_gone()
    except (click.exceptions.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return UsageError.exit_code
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not show what it holds
        return _failed(error, debug=any(len(word) >= len("--deb") and "--debug".startswith(word) for word in words))
    return result if isinstance(result, int) else 0


def _reader_gone() -> int:
    """End quietly, as the AWS CLI does: whoever read the output has seen enough."""
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - Python flushes it at its end
    return 0


def _failed(error: Exception, *, debug: bool) -> int:
    """Say what happened in one line, with `debug` where, too; return the exit code."""
    if debug:
        # Not traceback.print_exception: the texts of other libraries' errors, causes included, may show a token.
        click.echo(
            "".join(["Traceback (most recent call last):\n", *traceback.format_tb(error.__traceback__)]), err=True
        )
    if isinstance(error, click.ClickException):
        click.echo(f"tokenctl: {in_one_line(error)}", err=True)
        return UsageError.exit_code
    if isinstance(error, TokenctlError):
        click.echo(f"tokenctl: {error}", err=True)
        return error.exit_code
    if isinstance(error, UnicodeEncodeError):
        click.echo("tokenctl: The output holds characters that cannot be written here. Set LC_ALL=C.UTF-8.", err=True)
        return TokenctlError.exit_code
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        click.echo("tokenctl: The output could not be written: no space is left.", err=True)
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - Python flushes it at its end
        return TokenctlError.exit_code
    click.echo(f"tokenctl: This should not happen ({type(error).__name__}). Run it again with --debug.", err=True)
    return TokenctlError.exit_code

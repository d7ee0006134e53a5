"""The command group, and the one place that turns an error into a line and an exit code."""

import errno
import os
import signal
import sys
import traceback
from contextlib import nullcontext, redirect_stderr
from typing import Final

import click

from tokenctl.aws_style.click_messages import one_line_message
from tokenctl.aws_style.lazy_group import lazy_group
from tokenctl.errors import TokenctlError, UsageError
from tokenctl.streams import NO_SPACE, LossyStream, require_output

COMMANDS: Final[dict[str, str]] = {
    "app-credentials": "Store the client id and secret of your own app.",
    "import-key": "Import the private key of your own app, for providers that want signed JWTs.",
    "authorize": "Sign in at the provider in a browser and store the token pair.",
    "seed": "Store an existing token pair.",
    "rotate": "Store the next token of a stack whose token a person renews.",
    "status": "Show the token's life, schedule, alarms and dead letters on one screen.",
    "token": "Print a live access token, for scripts.",
    "refresh": "Refresh the stored token now; every token handed out dies.",
    "introspect": "Show what the provider says about the stored access token.",
    "revoke": "End the grant at the provider, and stop the refreshes.",
    "tick": "Let the function look at its token now, as the schedule does.",
    "doctor": "Check account, stack, token pair and schedule, and say how to fix problems.",
    "refresh-token": "Perform RefreshToken, with the AWS CLI's parameters.",
    "exchange-code-for-token": "Perform ExchangeCodeForToken, with the AWS CLI's parameters.",
    "repair": "Restore what somebody has changed by hand.",
    "errors": "Show what failed since the function last worked, and where the runbook helps.",
    "logs": "Show the function's log.",
    "dead-letters": "Show, redrive or drop the ticks that could not be delivered.",
    "list": "Show the stages that are deployed.",
    "connections": "Operate the fleet of a stack with connections=true: list, import, pause, revoke and more.",
    "providers": "List the providers of the catalogue, show one, or check the profile in a file.",
    "schema": "Print the JSON Schema of a command's output.",
    "completion": "Print the completion script of a shell.",
}
"""Each command and its line in the help."""

EXAMPLES: Final = """\b
Examples:
  tokenctl doctor --stage prod --before-deployment
  tokenctl authorize --stage prod --client-id YOUR_APP --port 8976
  tokenctl status --stage prod --watch
  export FIGMA_TOKEN=$(tokenctl token --stage prod)
  tokenctl help refresh-token
"""

INTERRUPTED: Final = 130


def _tokenctl(**_options: object) -> None:
    """Operate the stack RefreshToken-<stage>, which keeps an OAuth token pair alive.

    The options below go before or after the command. Exit codes are the AWS CLI's: 0 success, 130 interrupted, 252
    usage, 253 configuration, 254 error of a service, 255 any other error. status and doctor also exit with 1 if the
    deployment is DEGRADED or a check found a WARN, and with 2 if it is DEAD or a check found a FAIL; repair with 1 if
    something still differs, and with 2 if something is still broken.
    """


tokenctl: Final = lazy_group("tokenctl", _tokenctl, commands=COMMANDS, package="tokenctl.commands", epilog=EXAMPLES)


def main(arguments: list[str] | None = None) -> None:
    """Run tokenctl and end the process with the AWS CLI's exit codes."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a hidden prompt must give the terminal its echo back
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run tokenctl; return the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    with nullcontext() if sys.stderr is None else redirect_stderr(LossyStream(sys.stderr)):
        return _run(words)


def _run(words: list[str]) -> int:
    try:
        require_output()
        result = tokenctl.main(words, prog_name="tokenctl", standalone_mode=False)
        sys.stdout.flush()
    except SystemExit:
        return _end_quietly()  # how click ends when the reader of a pipe has gone
    except BrokenPipeError:
        return _end_quietly()
    except (click.exceptions.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return UsageError.exit_code
    except Exception as error:  # noqa: BLE001 - whatever it is, its text must not be shown
        return _report(error, debug=any(len(word) >= len("--deb") and "--debug".startswith(word) for word in words))
    return result if isinstance(result, int) else 0


def _end_quietly() -> int:
    """Discard the rest of the output, as the AWS CLI does when its reader has gone."""
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - Python flushes it on exit
    return 0


def _report(error: Exception, *, debug: bool) -> int:
    """Print the error on one line, with `debug` after its traceback; return the exit code."""
    if debug:
        # Not traceback.print_exception: the messages of other libraries' errors and of their causes may show a token.
        click.echo(
            "".join(["Traceback (most recent call last):\n", *traceback.format_tb(error.__traceback__)]), err=True
        )
    if isinstance(error, click.ClickException):
        click.echo(f"tokenctl: {one_line_message(error)}", err=True)
        return UsageError.exit_code
    if isinstance(error, TokenctlError):
        click.echo(f"tokenctl: {error}", err=True)
        return error.exit_code
    if isinstance(error, UnicodeEncodeError):
        click.echo(
            "tokenctl: The output holds characters that cannot be encoded here. Set LC_ALL=C.UTF-8.",
            err=True,
        )
        return TokenctlError.exit_code
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        click.echo(f"tokenctl: {NO_SPACE}", err=True)
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - Python flushes it on exit
        return TokenctlError.exit_code
    click.echo(f"tokenctl: This should not happen ({type(error).__name__}). Run it again with --debug.", err=True)
    return TokenctlError.exit_code

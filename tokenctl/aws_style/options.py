"""The options that every command has: the AWS CLI's global parameters, and which stack is meant."""

import functools
import platform
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NoReturn

import click

from tokenctl.errors import UsageError
from tokenctl.stack import debug_log
from tokenctl.stack.target import Connection, Target, is_address

_STAGE: Final = re.compile(r"[a-z][a-z0-9-]{0,19}")

Command = Callable[..., Any]
Callback = Callable[[click.Context, click.Parameter, Any], Any]


def target_options(command: Command) -> Command:
    """Add the options; the command gets a `target` in their place. Its clients are closed when the command ends."""

    @functools.wraps(command)
    def with_target(  # noqa: PLR0913, PLR0917 - one for each option; click calls by keyword
        stage: str,
        function_name: str | None,
        region: str | None,
        profile: str | None,
        endpoint_url: str | None,
        ca_bundle: str | None,
        cli_connect_timeout: int | None,
        cli_read_timeout: int | None,
        no_sign_request: bool,  # noqa: FBT001 - click calls by keyword
        **others: Any,  # noqa: ANN401 - the command's own
    ) -> Any:  # noqa: ANN401 - the command's own
        connection = Connection(
            region=region,
            profile=profile,
            endpoint_url=endpoint_url,
            ca_bundle=ca_bundle,
            connect_timeout=cli_connect_timeout,
            read_timeout=cli_read_timeout,
            sign=not no_sign_request,
        )
        with connection.opened:
            return command(target=Target(connection=connection, stage=stage, named_function=function_name), **others)

    return with_options(with_target, TARGET_OPTIONS)


def with_options(command: Command, options: tuple[Callable[[Any], Any], ...]) -> Command:
    """Add options, in the order in which `--help` lists them."""
    for option in reversed(options):
        command = option(command)
    return command


def _address(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not is_address(value):
        raise UsageError("--endpoint-url must have the form http://<hostname>/ or https://<hostname>/.")
    return value


def _stage(_ctx: click.Context, _parameter: click.Parameter, value: str) -> str:
    # What does not look like a stage is not shown: it may be a value that went astray.
    if not _STAGE.fullmatch(value):
        raise UsageError("--stage must be the name of a stage, such as dev or prod: a-z, 0-9 and -, up to 20 of them.")
    return value


def _profile(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    return value or None  # an empty one is none, as in the AWS CLI


def _bundle(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not Path(value).exists():
        raise UsageError("The file that --ca-bundle names does not exist.")
    return value


def completing(*words: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Return what completes one of the words in a shell."""
    return lambda _ctx, _parameter, typed: [word for word in words if word.startswith(typed)]


def _version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click's signature
    if wanted:
        click.echo(f"tokenctl/{debug_log.version()} Python/{platform.python_version()}")
        ctx.exit()


def _unsupported(option: str, reason: str) -> Callback:
    def refuse(_ctx: click.Context, _parameter: click.Parameter, value: object) -> None:
        if value:
            refused(option, reason)

    return refuse


def refused(option: str, reason: str) -> NoReturn:
    """Say that an option of the AWS CLI is not supported, and what to do instead."""
    raise UsageError(f"{option} is not supported by tokenctl: {reason}.")


UNSUPPORTED: Final = {
    "--no-verify-ssl": "a token would go to whoever answers; name the certificate to trust with --ca-bundle",
    "--cli-auto-prompt": "it does not prompt; see --help",
    "--v2-debug": "it follows the AWS CLI v2 already",
    "--cli-binary-format": "none of its parameters is binary; leave it out",
    "--cli-error-format": "an error is one line and an exit code; leave it out",
}
"""Global parameters of the AWS CLI that we refuse, with the reason."""

WITHOUT_EFFECT: Final = ("--no-paginate", "--no-cli-pager", "--no-cli-auto-prompt")
"""Global parameters of the AWS CLI that ask for what we do anyway."""

AWS_GLOBALS: Final = (
    *("--region", "--profile", "--endpoint-url", "--output", "--query", "--color", "--debug", "--version"),
    *("--ca-bundle", "--cli-connect-timeout", "--cli-read-timeout", "--no-sign-request"),
    *WITHOUT_EFFECT,
    *UNSUPPORTED,
)
"""The AWS CLI's global parameters."""

TARGET_OPTIONS: Final = (
    click.option(
        "--stage",
        default="dev",
        show_default=True,
        callback=_stage,
        shell_complete=completing("dev", "prod", "local"),
        help="Stage of the stack RefreshToken-<stage>.",
    ),
    click.option("--function-name", help="Name or ARN of the refresh function, in place of the stack's."),
    click.option("--region", help="AWS region."),
    click.option("--profile", callback=_profile, help="Profile of the AWS configuration files."),
    click.option("--endpoint-url", callback=_address, help="Send the AWS calls to this address."),
    click.option("--ca-bundle", type=click.Path(), callback=_bundle, help="Certificate bundle to trust."),
    click.option("--cli-connect-timeout", type=click.IntRange(0), help="Seconds to wait for a connection; 0 for ever."),
    click.option("--cli-read-timeout", type=click.IntRange(0), help="Seconds to wait for an answer; 0 for ever."),
    click.option("--no-sign-request", is_flag=True, help="Do not sign the requests."),
    click.option(
        "--debug",
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=debug_log.enable,
        help="Log the calls, without bodies, and show tracebacks.",
    ),
    click.option(
        "--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Show the version."
    ),
    *(click.option(name, is_flag=True, expose_value=False, hidden=True) for name in WITHOUT_EFFECT),
    *(
        click.option(
            name,
            is_flag=not name.endswith("-format"),
            expose_value=False,
            hidden=True,
            callback=_unsupported(name, reason),
        )
        for name, reason in UNSUPPORTED.items()
    ),
)

"""The options that choose a stack and how to reach AWS: the AWS CLI's global parameters, plus --stage and others."""

import functools
import os
import platform
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from refresh_token.signals import STAGE_NAME
from tokenctl.aws_style.aws_globals import UNSUPPORTED, WITHOUT_EFFECT, refuse_option
from tokenctl.errors import ConfigurationError, UsageError
from tokenctl.stack import debug_log
from tokenctl.stack.aws_access import AwsAccess, is_http_address
from tokenctl.stack.named import FLEET, REFRESHER, Sought, target_of_path, target_of_stack, with_fleet
from tokenctl.stack.target import DEFAULT_STAGE, Target

STAGE_VARIABLE: Final = "TOKENCTL_STAGE"
STAGE_RULE: Final = (
    "must be the name of a stage, such as dev or prod: up to 100 letters, digits and hyphens, the first one a letter."
)

MAX_SECONDS: Final = 2**63 // 10**9
"""The longest timeout of a socket: Python counts it in nanoseconds."""

Command = Callable[..., Any]
Option = Callable[[Any], Any]
Callback = Callable[[click.Context, click.Parameter, Any], Any]


def target_options(command: Command) -> Command:
    """Add the options; the command receives a `target` instead. Its AWS clients are closed when the command ends."""
    return _with_target(command, REFRESHER)


def fleet_target_options(command: Command) -> Command:
    """Do the same for a command that works on a fleet: the `target` is that of the fleet's function, or its stack."""
    return _with_target(command, FLEET)


def watched_target_options(command: Command) -> Command:
    """Do the same for a command that watches: the `target` may also be a fleet that stands alone in another app."""
    return _with_target(command, REFRESHER, or_fleet=True)


def _with_target(command: Command, sought: Sought, *, or_fleet: bool = False) -> Command:

    @functools.wraps(command)
    def with_target(  # noqa: PLR0913, PLR0917 - one for each option; click calls by keyword
        stage: str | None,
        stack_name: str | None,
        function_name: str | None,
        parameter_path: str | None,
        region: str | None,
        profile: str | None,
        endpoint_url: str | None,
        ca_bundle: str | None,
        cli_connect_timeout: str | None,
        cli_read_timeout: str | None,
        no_sign_request: bool,  # noqa: FBT001 - click calls by keyword
        **others: Any,  # noqa: ANN401 - the command's own
    ) -> Any:  # noqa: ANN401 - the command's own
        # Here and not in a callback: the last of repeated options counts, before the command or after it.
        if endpoint_url is not None and not is_http_address(endpoint_url):
            raise UsageError("--endpoint-url must have the form http://<hostname>/ or https://<hostname>/.")
        if ca_bundle and not Path(ca_bundle).exists():
            raise UsageError("The file that --ca-bundle names does not exist.")
        aws = AwsAccess(
            region=region,
            profile=profile,
            endpoint_url=endpoint_url,
            ca_bundle=ca_bundle or None,
            connect_timeout=_seconds("--cli-connect-timeout", cli_connect_timeout),
            read_timeout=_seconds("--cli-read-timeout", cli_read_timeout),
            sign=not no_sign_request,
        )
        with aws.closing:
            target = _target(aws, sought, stage, stack_name, function_name, parameter_path, or_fleet=or_fleet)
            return command(target=with_fleet(target) if or_fleet else target, **others)

    return with_options(with_target, TARGET_OPTIONS)


def _target(  # noqa: PLR0913, PLR0917 - one for each option
    aws: AwsAccess,
    sought: Sought,
    stage: str | None,
    stack_name: str | None,
    function_name: str | None,
    parameter_path: str | None,
    *,
    or_fleet: bool,
) -> Target:
    """Return what the options name. Without one, it is the stage of the environment, or the default stage."""
    given = [each for each in (stage, stack_name, function_name, parameter_path) if each is not None]
    if len(given) > 1 and (stack_name is not None or parameter_path is not None):
        raise UsageError("Give only one of --stage, --stack-name, --function-name and --parameter-path.")
    if stack_name is not None:
        return target_of_stack(aws, stack_name, sought, or_fleet=or_fleet)
    if parameter_path is not None:
        return target_of_path(aws, parameter_path, sought, or_fleet=or_fleet)
    return Target(aws=aws, given_stage=stage if given else _stage_of_environment(), named_function=function_name)


def with_options(command: Command, options: tuple[Option, ...]) -> Command:
    """Add options, in the order in which `--help` lists them."""
    for option in reversed(options):
        command = option(command)
    return command


def complete_from(*words: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Return a shell completion that offers the words."""
    return lambda _ctx, _parameter, typed: [word for word in words if word.startswith(typed)]


def _check_stage(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    # The value is not shown: if it does not look like a stage, it may be a misplaced token.
    if value is not None and not re.fullmatch(STAGE_NAME, value):
        raise UsageError(f"--stage {STAGE_RULE}")
    return value


def _stage_of_environment() -> str | None:
    """Return the stage in TOKENCTL_STAGE. An empty one is an error: it must not choose the default stage."""
    value = os.environ.get(STAGE_VARIABLE)
    if value is not None and not re.fullmatch(STAGE_NAME, value):
        raise ConfigurationError(f"{STAGE_VARIABLE} {STAGE_RULE} Correct or unset it, or give --stage.")
    return value


def _refuse_empty(what: str) -> Callback:
    def callback(_ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
        # An unset variable of a shell must not choose the default stage.
        if value is not None and not value.strip():
            raise UsageError(f"{parameter.opts[0]} is empty. Give {what}, or leave the option out.")
        return value

    return callback


def _empty_as_none(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    return value or None  # as in the AWS CLI


def _seconds(option: str, value: str | None) -> int | None:
    try:
        seconds = None if value is None else int(value)
    except ValueError:
        seconds = -1
    if seconds is not None and not 0 <= seconds <= MAX_SECONDS:
        raise UsageError(f"{option} must be a whole number from 0 to {MAX_SECONDS}.")
    return seconds


def _show_version(ctx: click.Context, _parameter: click.Parameter, on: bool) -> None:  # noqa: FBT001 - click's signature
    if on:
        click.echo(f"tokenctl/{debug_log.version()} Python/{platform.python_version()}")
        ctx.exit()


def _refuse(option: str, reason: str) -> Callback:
    def callback(_ctx: click.Context, _parameter: click.Parameter, value: object) -> None:
        if value is not None and value is not False:  # an empty value is refused, too
            refuse_option(option, reason)

    return callback


TARGET_OPTIONS: Final[tuple[Option, ...]] = (
    click.option(
        "--stage",
        callback=_check_stage,
        shell_complete=complete_from("dev", "prod", "local"),
        help=f"Stage of the stack RefreshToken-<stage>. Default: {STAGE_VARIABLE}, or {DEFAULT_STAGE}.",
    ),
    click.option(
        "--stack-name",
        callback=_refuse_empty("the name of the stack"),
        help="Name of the stack that holds the refresh function, if it is not that of a stage.",
    ),
    click.option(
        "--function-name",
        callback=_refuse_empty("the name or ARN of the function"),
        help="Name or ARN of a refresh function, to work on its deployment instead.",
    ),
    click.option(
        "--parameter-path",
        callback=_refuse_empty("the path in Parameter Store"),
        help="Path in Parameter Store below which the deployment publishes its function.",
    ),
    click.option("--region", help="AWS region."),
    click.option("--profile", callback=_empty_as_none, help="Profile in the AWS configuration files."),
    click.option("--endpoint-url", help="Address to send the AWS calls to."),
    click.option("--ca-bundle", type=click.Path(), help="Certificate bundle to trust."),
    click.option("--cli-connect-timeout", metavar="<seconds>", help="Seconds to wait to connect; 0: no limit."),
    click.option("--cli-read-timeout", metavar="<seconds>", help="Seconds to wait for an answer; 0: no limit."),
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
        "--version", is_flag=True, expose_value=False, is_eager=True, callback=_show_version, help="Show the version."
    ),
    *(click.option(name, is_flag=True, expose_value=False, hidden=True) for name in WITHOUT_EFFECT),
    *(
        click.option(
            name,
            is_flag=True if not name.endswith("-format") else None,  # False would make the value optional
            expose_value=False,
            hidden=True,
            callback=_refuse(name, reason),
        )
        for name, reason in UNSUPPORTED.items()
    ),
)

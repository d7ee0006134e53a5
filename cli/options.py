"""The options that every command has: the AWS CLI's global parameters, and which stack is meant."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click

from cli.target import Connection, Target

F = TypeVar("F", bound=Callable[..., Any])


def target_options(command: F) -> F:
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

    decorated: Any = with_target
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return]


_OPTIONS = (
    click.option("--stage", default="dev", show_default=True, help="Stage of the stack RefreshToken-<stage>."),
    click.option("--function-name", help="Name or ARN of the refresh function, in place of the stack's."),
    click.option("--region", help="AWS region."),
    click.option("--profile", help="Profile of the AWS configuration files."),
    click.option("--endpoint-url", help="Send the AWS calls to this address."),
    click.option("--ca-bundle", type=click.Path(), help="Certificate bundle to trust."),
    click.option("--cli-connect-timeout", type=int, help="Seconds to wait for a connection; 0 for ever."),
    click.option("--cli-read-timeout", type=int, help="Seconds to wait for an answer; 0 for ever."),
    click.option("--no-sign-request", is_flag=True, help="Do not sign the requests."),
)

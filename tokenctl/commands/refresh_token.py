"""`tokenctl refresh-token`: the RefreshToken operation, performed by the deployed function."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from tokenctl.aws_style.operation_command import performs
from tokenctl.aws_style.options import completing
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.errors import ServiceError, TokenctlError, one_line, without

if TYPE_CHECKING:
    from tokenctl.stack.target import Target

OPERATION: Final = "RefreshToken"

LONGEST_ANSWER: Final = 90
"""Seconds; the function itself may take 60."""

EXAMPLES: Final = """\b
Examples:
  tokenctl refresh-token --provider figma --refresh-token-body file://body.json
  tokenctl refresh-token --provider figma --refresh-token-body token@=file://token.txt
  tokenctl refresh-token --provider figma --refresh-token-body token=<token>,clientId=<id>
  tokenctl refresh-token --generate-cli-skeleton > call.json
  tokenctl refresh-token --cli-input-json file://call.json --query accessToken --output text
  vault-of-yours | tokenctl refresh-token --cli-input-yaml file:///dev/stdin
"""


@click.command("refresh-token", cls=AwsCommand, epilog=EXAMPLES)
@click.option(
    "--provider",
    metavar="<value>",
    shell_complete=completing("figma"),
    help="The third-party provider for the token; figma is the only one.",
)
@click.option(
    "--refresh-token-body",
    metavar="<value>",
    help="The refresh token: token=string[,clientId=string], the same as a JSON object, or file://.",
)
@performs(OPERATION, {"--provider": "provider", "--refresh-token-body": "refreshTokenBody"})
def refresh_token(*, target: "Target", parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Refresh a previously issued access token that might have expired.

    The deployed function performs it. Needed is lambda:InvokeFunction, and cloudformation:DescribeStacks to find the
    function of a --stage; --function-name needs no looking up. If the token is the one that the stack keeps, the
    function stores the result; every access token handed out before is dead then.
    """
    from tokenctl.aws_style.operation import Operation
    from tokenctl.stack.target import explained

    secrets = Operation(OPERATION).secrets(parameters)
    # One attempt: a second one would refresh again, and kill the token that the first one got.
    client = target.connection.client("lambda", read_timeout=LONGEST_ANSWER, retries={"total_max_attempts": 1})
    function_name = target.function_name
    # Lambda repeats the name, which may be a value that went astray; the function does not know it.
    with explained([*secrets, *filter(None, [target.named_function])]):
        answer = client.invoke(FunctionName=function_name, Payload=json.dumps(parameters).encode())
        payload = answer["Payload"].read()
    return _read(payload, failed="FunctionError" in answer, secrets=secrets)


def _read(payload: bytes, *, failed: bool, secrets: list[str]) -> Mapping[str, Any]:
    """Return the operation's answer from the function's; raises ServiceError for an error of the function."""
    try:
        answer = json.loads(payload)
    except ValueError:
        answer = None
    members = answer if isinstance(answer, dict) else {}
    if failed:
        code = members.get("errorType") or "Unhandled"
        raise ServiceError.of(str(code), OPERATION, one_line(without(secrets, str(members.get("errorMessage", "")))))
    if not isinstance(members.get("accessToken"), str) or not isinstance(members.get("expiresIn"), int):
        raise TokenctlError("The function's answer is none of RefreshToken. Is it the right one? See --function-name.")
    return {"accessToken": members["accessToken"], "expiresIn": members["expiresIn"]}

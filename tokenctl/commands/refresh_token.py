"""`tokenctl refresh-token`: the RefreshToken operation, performed by the deployed function."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from tokenctl.aws_style.operation_command import operation_command
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.errors import TokenctlError

if TYPE_CHECKING:
    from tokenctl.stack.target import Target

OPERATION: Final = "RefreshToken"

EXAMPLES: Final = """\b
Examples:
  tokenctl refresh-token --provider figma --refresh-token-body file://body.json
  tokenctl refresh-token --provider figma --refresh-token-body token@=file://token.txt
  tokenctl refresh-token --provider figma --refresh-token-body token=<token>,clientId=<id>
  tokenctl refresh-token --generate-cli-skeleton > call.json
  tokenctl refresh-token --cli-input-json file://call.json --query accessToken --output text
  your-vault | tokenctl refresh-token --cli-input-yaml file:///dev/stdin
"""


@click.command("refresh-token", cls=AwsCommand, epilog=EXAMPLES)
@operation_command(OPERATION, "--refresh-token-body", "The refresh token: token=string[,clientId=string]")
def refresh_token(*, target: "Target", parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Refresh a previously issued access token that might have expired.

    The deployed function performs the operation. You need the permission lambda:InvokeFunction and, without
    --function-name, cloudformation:DescribeStacks. If the token is the one in the stack's secret, the function stores
    the result, and every access token handed out before dies.
    """
    from tokenctl.aws_style.operation import Operation
    from tokenctl.stack.function import invoke

    secrets = Operation(OPERATION).secrets_in(parameters)
    answer = invoke(target, parameters, operation=OPERATION, secrets=secrets)
    if not isinstance(answer.get("accessToken"), str) or not isinstance(answer.get("expiresIn"), int):
        raise TokenctlError(
            "The function's answer is not that of RefreshToken. Check with --function-name or --stage that it is the "
            "refresh function."
        )
    return {"accessToken": answer["accessToken"], "expiresIn": answer["expiresIn"]}

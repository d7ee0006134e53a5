"""`tokenctl exchange-code-for-token`: a sign-in's code becomes a token pair, with the operator's credentials."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from tokenctl.aws_style.operation_command import performs
from tokenctl.aws_style.options import completing
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.errors import TokenctlError, UsageError

if TYPE_CHECKING:
    from tokenctl.stack.target import Target

OPERATION: Final = "ExchangeCodeForToken"

EXAMPLES: Final = """\b
Examples:
  tokenctl exchange-code-for-token --provider figma --request file://request.json --store
  tokenctl exchange-code-for-token --provider figma \\
      --request code=<code>,redirectUri=https://example.com/done --stage prod --store
  tokenctl exchange-code-for-token --generate-cli-skeleton yaml-input
"""


@click.command("exchange-code-for-token", cls=AwsCommand, epilog=EXAMPLES)
@click.option(
    "--provider",
    metavar="<value>",
    shell_complete=completing("figma"),
    help="The third-party provider for the token; figma is the only one.",
)
@click.option(
    "--request",
    metavar="<value>",
    help="The code: code=string,redirectUri=string[,clientId=string], the same as a JSON object, or file://.",
)
@click.option("--store", is_flag=True, help="Put the pair into the stack's secret; print which version, no token.")
@click.option("--yes", is_flag=True, help="With --store: replace a stored pair without asking.")
@performs(OPERATION, {"--provider": "provider", "--request": "request"})
def exchange_code_for_token(
    *, target: "Target", parameters: Mapping[str, Any], store: bool, yes: bool
) -> Mapping[str, Any]:
    """Exchange an access code for a token pair.

    A code lives 30 seconds and works once. Amplify UI Builder is called directly; --endpoint-url is where that call
    goes, and not where the pair is stored.
    """
    from tokenctl.aws_style.operation import Operation
    from tokenctl.stack.target import explained

    storage = dataclasses.replace(target, connection=dataclasses.replace(target.connection, endpoint_url=None))
    secret: str | None = None
    kept: Mapping[str, object] = {}
    if store:  # looked up and asked first: a code is spent by the exchange
        from tokenctl.terminal.confirm_replace import ask_before_replacing

        secret = storage.secret_arn
        kept = ask_before_replacing(storage, yes=yes)
    client = target.connection.client("amplifyuibuilder")
    try:
        with explained(Operation(OPERATION).secrets(parameters)):
            answer = dict(client.exchange_code_for_token(**parameters))
    except (AttributeError, TypeError, ValueError):  # botocore's parser lets them out, and they show the answer
        raise TokenctlError(
            "Amplify UI Builder's answer makes no sense, and the code may be spent. Sign in again; see --endpoint-url."
        ) from None
    answer.pop("ResponseMetadata", None)
    return answer if secret is None else _stored(storage, secret, parameters, {**kept, **answer})


def _stored(
    storage: "Target", secret: str, parameters: Mapping[str, Any], answer: Mapping[str, Any]
) -> Mapping[str, Any]:
    from tokenctl.stack.secret import store_pair

    client_id = parameters["request"].get("clientId")
    pair = {"provider": parameters["provider"], **answer} | ({"clientId": client_id} if client_id else {})
    try:
        version = store_pair(storage, pair)
    except TokenctlError as error:
        fault = error
    else:
        return {"secretArn": secret, "versionId": version, "expiresIn": answer.get("expiresIn")}
    kind = TokenctlError if isinstance(fault, UsageError) else type(fault)  # the answer is not what was typed
    raise kind(f"The code was exchanged and is spent, but the pair could not be stored: {fault} Sign in again.")

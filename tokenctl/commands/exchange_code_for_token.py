"""`tokenctl exchange-code-for-token`: exchanges a code for a token pair, with the operator's AWS credentials."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from tokenctl.aws_style.operation_command import operation_command
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.errors import TokenctlError, UsageError

if TYPE_CHECKING:
    from tokenctl.stack.deployed_stack import DeployedStack
    from tokenctl.stack.target import Target

OPERATION: Final = "ExchangeCodeForToken"

_SENSELESS: Final = (
    "Amplify UI Builder's answer makes no sense, and the code may be spent. Check --endpoint-url and sign in again."
)
"""The message about an answer without tokens, or one that botocore cannot read."""

EXAMPLES: Final = """\b
Examples:
  tokenctl exchange-code-for-token --provider figma --request file://request.json --store
  tokenctl exchange-code-for-token --provider figma \\
      --request code=<code>,redirectUri=https://example.com/done --stage prod --store
  tokenctl exchange-code-for-token --generate-cli-skeleton yaml-input
"""


@click.command("exchange-code-for-token", cls=AwsCommand, epilog=EXAMPLES)
@operation_command(
    OPERATION,
    "--request",
    "The code: code=string,redirectUri=string[,clientId=string]",
    click.option(
        "--store", is_flag=True, help="Store the pair in the stack's secret; print the version, but no token."
    ),
    click.option("--yes", is_flag=True, help="With --store: replace a stored pair without asking."),
    stored={"secretArn": "arn", "versionId": "version", "expiresIn": 7_776_000},
)
def exchange_code_for_token(
    *, target: "Target", parameters: Mapping[str, Any], store: bool, yes: bool
) -> Mapping[str, Any]:
    """Exchange an access code for a token pair.

    A code lives 30 seconds and works once. The command calls Amplify UI Builder directly. --endpoint-url applies to
    that call, but not to storing the pair.
    """
    storage = dataclasses.replace(target, aws=dataclasses.replace(target.aws, endpoint_url=None))
    if not store:
        answer = _exchange(target, parameters)
        if not all(isinstance(answer.get(key), str) and answer[key] for key in ("accessToken", "refreshToken")):
            raise TokenctlError(_SENSELESS)
        return answer
    from refresh_token.oauth.issuers import AMPLIFY_ISSUED_BY
    from tokenctl.stack.deployed_stack import DeployedStack
    from tokenctl.stack.issuer import refuse_static
    from tokenctl.terminal.confirm_issuer import confirm_issuer
    from tokenctl.terminal.confirm_replacing_pair import confirm_replacing_pair

    # Whatever can fail or needs an answer comes first: the exchange spends the code.
    deployed = DeployedStack(storage)
    _ = storage.secret_arn
    refuse_static(deployed)
    confirm_issuer(deployed, AMPLIFY_ISSUED_BY, yes=yes)
    kept = confirm_replacing_pair(deployed, AMPLIFY_ISSUED_BY, yes=yes)
    return _store(deployed, parameters, {**kept, **_exchange(target, parameters)})


def _exchange(target: "Target", parameters: Mapping[str, Any]) -> dict[str, Any]:
    from tokenctl.aws_style.operation import Operation
    from tokenctl.stack.aws_errors import translate_aws_errors

    client = target.aws.client("amplifyuibuilder")
    try:
        with translate_aws_errors(Operation(OPERATION).secrets_in(parameters)):
            answer = dict(client.exchange_code_for_token(**parameters))
    except (AttributeError, TypeError, ValueError):  # botocore's parser raises these, with a part of the answer
        raise TokenctlError(_SENSELESS) from None
    answer.pop("ResponseMetadata", None)
    return answer


def _store(deployed: "DeployedStack", parameters: Mapping[str, Any], answer: Mapping[str, Any]) -> Mapping[str, Any]:
    from refresh_token.oauth.issuers import AMPLIFY_ISSUED_BY
    from tokenctl.stack.pair_secret import store_pair

    client_id = parameters["request"].get("clientId")
    pair = {"provider": parameters["provider"], **answer} | ({"clientId": client_id} if client_id else {})
    try:
        version = store_pair(deployed, pair, AMPLIFY_ISSUED_BY)
    except TokenctlError as error:
        fault = error
    else:
        return {"secretArn": deployed.target.secret_arn, "versionId": version, "expiresIn": answer.get("expiresIn")}
    kind = TokenctlError if isinstance(fault, UsageError) else type(fault)  # the operator did not write this pair
    raise kind(f"The code was exchanged and is spent, but the pair could not be stored: {fault} Sign in again.")

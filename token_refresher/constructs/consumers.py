"""How consumers find the function and the layer, and what those of other accounts may use."""

from collections.abc import Mapping, Sequence

from aws_cdk import Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_ram as ram
from aws_cdk import aws_ssm as ssm
from constructs import Construct


def offer(  # noqa: PLR0913 (keyword-only)
    scope: Construct,
    *,
    alias: lambda_.Alias,
    parameter: str,
    layer: lambda_.LayerVersion | None,
    path: str | None,
    accounts: Sequence[str],
) -> None:
    """Publish the alias as `parameter`, and the layer, for the consumers of this account and of others."""
    accounts = [*dict.fromkeys(accounts)]
    _let_in(accounts, alias, layer)
    layers = {"client-layer-arn": layer.layer_version_arn} if layer else {}
    publish(scope, path, {parameter: alias.function_arn, **layers}, accounts)


def publish(scope: Construct, path: str | None, values: Mapping[str, str], accounts: Sequence[str]) -> None:
    """Put the values into Parameter Store as `<path>/<name>`, for the accounts too. Without a path do nothing."""
    if not path:
        return
    # Only advanced parameters can be shared, for 0.05 USD a month each (Systems Manager User Guide, "Working with
    # shared parameters in Parameter Store").
    tier = ssm.ParameterTier.ADVANCED if accounts else None
    parameters = [
        ssm.StringParameter(
            scope,
            f"Parameter-{name}",
            parameter_name=f"{path.rstrip('/')}/{name}",
            string_value=value,
            tier=tier,
            # The CDK asks for this if the name is known only at deployment.
            simple_name=False if Token.is_unresolved(path) else None,
        )
        for name, value in values.items()
    ]
    if accounts:
        ram.CfnResourceShare(
            scope,
            "Consumers",
            name=f"refresh-token{path.replace('/', '-')}".rstrip("-"),
            principals=[*accounts],
            resource_arns=[parameter.parameter_arn for parameter in parameters],
        )


def _let_in(accounts: Sequence[str], alias: lambda_.Alias, layer: lambda_.LayerVersion | None) -> None:
    """Let the accounts invoke the alias and use the layer. Their own policies decide which of their roles may."""
    for account in accounts:
        alias.grant_invoke(iam.AccountPrincipal(account))
        if layer:
            layer.add_permission(f"Account{account}", account_id=account)

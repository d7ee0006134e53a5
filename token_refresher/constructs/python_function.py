"""What all functions of our bundle have in common."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, cast

from aws_cdk import AssetHashType, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct, IDependable

from token_refresher.constructs.acknowledgements import acknowledge
from token_refresher.props import SharedProps
from token_refresher.settings.resource_settings import SharedSettings

MAX_VARIABLES: Final = 4096
"""Bytes of all variables of a function, as JSON (Lambda quotas)."""
_ARN: Final = 120
"""Bytes of a long name or ARN."""
_ARCHITECTURES: Final = {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}

ACCEPTED: Final = {
    "AwsSolutions-L1": "Python 3.13 is supported until 2029. The bundle's byte code is compiled for it.",
    **dict.fromkeys(
        ("CKV_AWS_115", "-LambdaConcurrency"),
        "A setting. Accounts with a quota of 10 cannot deploy it. The lock does not need it.",
    ),
    **dict.fromkeys(
        ("CKV_AWS_116", "-LambdaDLQ"),
        "A tick that fails need not be kept: an alarm tells, and the next one does the same work.",
    ),
    **dict.fromkeys(
        ("CKV_AWS_117", "-LambdaInsideVPC"),
        "It calls only public endpoints of AWS and of the issuer. The prop vpc puts it into a network.",
    ),
    "CKV_AWS_173": "The environment holds names, numbers and addresses, but no secret. It is encrypted "
    "with Lambda's key.",
}
"""Why the checkers' findings on each function are accepted."""


def python_function(  # noqa: PLR0913 (keyword-only)
    scope: Construct,
    *,
    description: str,
    handler: str,
    settings: SharedSettings,
    props: SharedProps,
    asset: Path,
    variables: Mapping[str, str],
    layers: Sequence[lambda_.ILayerVersion],
    role: iam.IRole,
    permissions: Sequence[IDependable],
    log_group: logs.ILogGroup,
    timeout: int,
    name: str | None = None,
    snap_start: bool = False,
    reserved_concurrency: int | None = None,
) -> lambda_.Function:
    """Add the function to `scope`. `timeout` is in seconds; `permissions` is what the function must wait for."""
    function = lambda_.Function(
        scope,
        "Function",
        description=description,
        code=lambda_.Code.from_asset(str(asset), asset_hash=asset.name, asset_hash_type=AssetHashType.CUSTOM),
        handler=f"refresh_token.{handler}.lambda_handler",
        runtime=lambda_.Runtime.PYTHON_3_13,
        architecture=_ARCHITECTURES[settings["architecture"]],
        memory_size=settings["memory_mb"],
        timeout=Duration.seconds(timeout),
        reserved_concurrent_executions=reserved_concurrency,
        environment=dict(variables),
        layers=[*layers] or None,
        vpc=props.get("vpc"),
        vpc_subnets=props.get("vpc_subnets"),
        security_groups=props.get("security_groups"),
        code_signing_config=props.get("code_signing_config"),
        function_name=name,
        snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snap_start else None,
        role=role,
        log_group=log_group,
    )
    function.node.add_dependency(*permissions)
    resource = cast("lambda_.CfnFunction", function.node.default_child)
    # Not through the L2: it would add the permissions, which the role has, once more, for every region.
    if settings["tracing"]:
        resource.tracing_config = lambda_.CfnFunction.TracingConfigProperty(mode="Active")
    # The CDK's DependsOn for the role is redundant until somebody grants the function more: then the function must
    # wait for that policy too.
    resource.add_metadata("cfn-lint", {"config": {"ignore_checks": ["W3005"]}})
    acknowledge(function, ACCEPTED)
    return function


def size_of(variables: Mapping[str, str]) -> int:
    """Return how many bytes of `MAX_VARIABLES` these need. What is known only at deployment is an estimate."""
    shown = {name: _with_arns(value) for name, value in variables.items()}
    return len(json.dumps(shown, separators=(",", ":"), ensure_ascii=False).encode())


def _with_arns(value: str) -> str:
    return re.sub(r"\$\{Token\[[^\]]*\]\}", "x" * _ARN, value)

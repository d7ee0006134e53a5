"""CDK app of the consumer stack. Context: `published`, the path of the refresh stack's parameters, and `figma_url`."""

import platform
from pathlib import Path

from aws_cdk import App, AssetHashType, CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_ssm as ssm

from token_refresher.bundling.bundle import REQUIREMENTS, build
from token_refresher.bundling.pruning import PruningRules
from token_refresher.settings.resource_settings import Architecture

HERE = Path(__file__).resolve().parent

RULES = PruningRules(botocore_services=("lambda", "sts"), dropped=("aws_lambda_powertools*", "s3transfer/crt.py"))

MACHINE: Architecture = "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"
"""The processor of this machine, on which MiniStack runs the function."""


def main() -> None:
    """Synthesise the stack `TokenConsumer`."""
    app = App()
    stack = Stack(app, "TokenConsumer", description="A consumer of the refresh function, for demos and tests.")
    published = app.node.get_context("published")
    refresh_arn = ssm.StringParameter.value_for_string_parameter(stack, f"{published}/function-arn")
    layer_arn = ssm.StringParameter.value_for_string_parameter(stack, f"{published}/client-layer-arn")
    asset = build(sources=[HERE / "token_consumer"], requirements=REQUIREMENTS, architecture=MACHINE, rules=RULES)
    consumer = lambda_.Function(
        stack,
        "Consumer",
        code=lambda_.Code.from_asset(str(asset), asset_hash=asset.name, asset_hash_type=AssetHashType.CUSTOM),
        handler="token_consumer.handler.lambda_handler",
        runtime=lambda_.Runtime.PYTHON_3_13,
        architecture=lambda_.Architecture.ARM_64 if MACHINE == "arm64" else lambda_.Architecture.X86_64,
        timeout=Duration.seconds(90),
        layers=[lambda_.LayerVersion.from_layer_version_arn(stack, "TokenClient", layer_arn)],
        environment={"FUNCTION_NAME": refresh_arn, "FIGMA_URL": app.node.get_context("figma_url")},
        log_group=logs.LogGroup(stack, "Logs", removal_policy=RemovalPolicy.DESTROY),
    )
    consumer.add_to_role_policy(iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[refresh_arn]))
    CfnOutput(stack, "ConsumerName", value=consumer.function_name)
    app.synth()


if __name__ == "__main__":
    main()

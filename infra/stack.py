"""One stage of refresh-token: the construct, and what a stage adds to it, names and tags and outputs."""

from pathlib import Path

from aws_cdk import CfnOutput, RemovalPolicy, Stack, Tags
from constructs import Construct

from infra.stage_settings import StageSettings
from token_refresher.construct import TokenRefresher


class RefreshTokenStack(Stack):
    """A `TokenRefresher` under the name that its stage gives it.

    `asset` is the function's folder, from `token_refresher.bundling`; built by default.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: StageSettings, asset: Path | None = None
    ) -> None:
        super().__init__(scope, construct_id, description="Keeps a Figma OAuth token pair alive.")
        self.refresher = refresher = TokenRefresher(
            self,
            # CloudFormation knows a resource by its path, without this word: the secret is where it was before there
            # was a construct around it.
            "Default",
            **settings.props(),
            allow_http_issuer=settings.allow_http_issuer,
            service_name=settings.stack_name,
            parameter_path=settings.parameter_path,
            removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
            asset=asset,
        )

        Tags.of(self).add("Application", "refresh-token")
        Tags.of(self).add("Stage", settings.stage)

        CfnOutput(self, "FunctionName", value=refresher.function.function_name)
        CfnOutput(self, "FunctionArn", value=refresher.function.function_arn)
        CfnOutput(self, "FunctionAliasArn", value=refresher.alias.function_arn)
        CfnOutput(self, "ClientLayerArn", value=refresher.layer.layer_version_arn)
        CfnOutput(self, "SecretArn", value=refresher.secret_arn)
        if refresher.app_secret_arn:
            CfnOutput(self, "AppSecretArn", value=refresher.app_secret_arn)
        CfnOutput(self, "DeadLetterQueueUrl", value=refresher.queue.queue_url)
        CfnOutput(self, "AlarmTopicArn", value=refresher.topic.topic_arn)

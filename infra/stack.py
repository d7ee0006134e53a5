"""The stack of one stage: the construct, and what the stage adds to it: names, tags and outputs."""

from pathlib import Path

from aws_cdk import Annotations, CfnOutput, RemovalPolicy, Stack, Tags
from constructs import Construct

from infra.deployed_settings import record
from infra.stage_settings import LOCAL, StageSettings
from refresh_token.signals import APP_SECRET_OUTPUT, app_secret_output
from token_refresher.construct import TokenRefresher
from token_refresher.constructs.fleet.connection_fleet import ConnectionFleet


class RefreshTokenStack(Stack):
    """A `TokenRefresher` with the names of its stage.

    `asset` is the function's folder from `token_refresher.bundling`. By default the stack builds it.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: StageSettings, asset: Path | None = None
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            description=f"Keeps a {settings.issuer.title} OAuth token pair alive.",
            termination_protection=settings.protected or None,
        )
        self.refresher = refresher = TokenRefresher(
            self,
            # CloudFormation leaves this word out of logical ids. So the secret keeps the id that it had before the
            # construct existed.
            "Default",
            issuer=settings.issuer,
            **settings.refresher,
            service_name=settings.stack_name,
            parameter_path=settings.parameter_path,
            # A failed creation leaves nothing behind.
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if settings.protected else RemovalPolicy.DESTROY,
            asset=asset,
            emulator=settings.stage == LOCAL,
        )
        self.fleet = (
            refresher.add_fleet(providers=settings.fleet.providers, **settings.fleet.settings)
            if settings.fleet
            else None
        )
        self.template_options.metadata = record(settings)
        if settings.protected and refresher.topic and not settings.refresher["alarm_email"]:
            Annotations.of(self).add_warning_v2(
                "refresh-token:nobody-listens",
                f"Nobody is told when an alarm of {settings.stage} goes off. Set alarm_email, or subscribe to the "
                "topic AlarmTopicArn after the deployment.",
            )

        Tags.of(self).add("Application", "refresh-token")
        Tags.of(self).add("Stage", settings.stage)

        add_outputs(self, refresher)
        if self.fleet:
            add_fleet_outputs(self, self.fleet, refresher)


def add_outputs(stack: Stack, refresher: TokenRefresher) -> None:
    """Add the outputs that operators, and `tokenctl`, rely on."""
    CfnOutput(stack, "FunctionName", value=refresher.function.function_name)
    CfnOutput(stack, "FunctionArn", value=refresher.function.function_arn)
    CfnOutput(stack, "FunctionAliasArn", value=refresher.alias.function_arn)
    if refresher.layer:
        CfnOutput(stack, "ClientLayerArn", value=refresher.layer.layer_version_arn)
    CfnOutput(stack, "SecretArn", value=refresher.secret_arn)
    if refresher.app_secret_arn:
        CfnOutput(stack, APP_SECRET_OUTPUT, value=refresher.app_secret_arn)
    if refresher.signing_key_arn:
        CfnOutput(stack, "SigningKeyArn", value=refresher.signing_key_arn)
    CfnOutput(stack, "DeadLetterQueueUrl", value=refresher.dead_letter_queue.queue_url)
    if refresher.topic:
        CfnOutput(stack, "AlarmTopicArn", value=refresher.topic.topic_arn)


def add_fleet_outputs(stack: Stack, fleet: ConnectionFleet, refresher: TokenRefresher) -> None:
    """Add the outputs of a fleet beside the refresher."""
    CfnOutput(stack, "ConnectionsFunctionArn", value=fleet.alias.function_arn)
    CfnOutput(stack, "ConnectionsTableName", value=fleet.table.table_name)
    CfnOutput(stack, "ConnectionsQueueUrl", value=fleet.queue.queue_url)
    CfnOutput(stack, "ConnectionsDeadLetterQueueUrl", value=fleet.dead_letter_queue.queue_url)
    CfnOutput(stack, "ConnectionsKeyArn", value=fleet.key.key_arn)
    for provider, arn in fleet.app_secret_arns.items():
        if arn != refresher.app_secret_arn:
            CfnOutput(stack, app_secret_output(provider), value=arn)

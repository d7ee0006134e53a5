"""One stage of refresh-token: what there is and how it hangs together."""

from pathlib import Path

from aws_cdk import CfnOutput, RemovalPolicy, Stack, Tags
from constructs import Construct

from infra.constructs.dead_letter_queue import DeadLetterQueue
from infra.constructs.lock_table import LockTable
from infra.constructs.monitoring import Monitoring
from infra.constructs.refresh_function import RefreshFunction
from infra.constructs.refresh_schedule import RefreshSchedule
from infra.constructs.token_secret import TokenSecret
from infra.settings import StageSettings


class RefreshTokenStack(Stack):
    """Secret, lock, function, schedule, monitoring.

    `asset` is the function's folder, from `infra.bundling.build`. Other stacks let their functions ask for tokens
    with `stack.function.grant_invoke(...)`.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: StageSettings, asset: Path) -> None:
        super().__init__(scope, construct_id, description="Keeps a Figma OAuth token pair alive.")
        removal_policy = RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY

        secret = TokenSecret(self, "Secret", removal_policy=removal_policy)
        lock = LockTable(self, "Lock", removal_policy=removal_policy)
        dead_letters = DeadLetterQueue(self, "DeadLetters").queue
        self.function = RefreshFunction(
            self,
            "Refresh",
            settings=settings,
            asset=asset,
            secret_arn=secret.arn,
            lock_table=lock.table,
            failure_queue=dead_letters,
            removal_policy=removal_policy,
        ).function
        RefreshSchedule(self, "Schedule", expression=settings.schedule, target=self.function, dead_letters=dead_letters)
        monitoring = Monitoring(
            self, "Monitoring", settings=settings, function=self.function, dead_letters=dead_letters
        )

        Tags.of(self).add("Application", "refresh-token")
        Tags.of(self).add("Stage", settings.stage)

        CfnOutput(self, "FunctionName", value=self.function.function_name)
        CfnOutput(self, "FunctionArn", value=self.function.function_arn)
        CfnOutput(self, "SecretArn", value=secret.arn)
        CfnOutput(self, "DeadLetterQueueUrl", value=dead_letters.queue_url)
        CfnOutput(self, "AlarmTopicArn", value=monitoring.topic.topic_arn)

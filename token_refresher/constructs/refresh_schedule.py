"""The schedule that keeps the token pair alive when nobody asks for it."""

from aws_cdk import Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct


class RefreshSchedule(Construct):
    """An EventBridge Scheduler schedule in a group of its own, with a role of its own.

    The L1, because the L2 target lets its role invoke every version and alias, and puts it into the stack's root.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        expression: str,
        target: lambda_.IFunction,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        # A schedule has no tags, its group has; and the role can be held to this group.
        group = scheduler.CfnScheduleGroup(self, "Group")
        role = iam.Role(
            self,
            "Role",
            # Without the conditions, a schedule of another account could act with this role. The source that
            # Scheduler names is the group (User Guide, "Cross-service confused deputy prevention").
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID, "aws:SourceArn": group.attr_arn}},
            ),
            inline_policies={
                "RefreshSchedule": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(
                            sid="Tick", actions=["lambda:InvokeFunction"], resources=[target.function_arn]
                        ),
                        iam.PolicyStatement(
                            sid="KeepFailedTicks", actions=["sqs:SendMessage"], resources=[dead_letters.queue_arn]
                        ),
                    ]
                )
            },
        )
        scheduler.CfnSchedule(
            self,
            "Schedule",
            description="Checks the token pair and refreshes it when it is due.",
            group_name=group.ref,
            schedule_expression=expression,
            # One light call; nothing to spread out, and a tick is easier to find at the time it was due.
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=target.function_arn,
                role_arn=role.role_arn,
                input=Stack.of(self).to_json_string(_EVENT),
                # These retries are for ticks that Lambda did not accept; the function's own failures are not retried.
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=3600, maximum_retry_attempts=10
                ),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=dead_letters.queue_arn),
            ),
        )


# The default input that Scheduler sends is not documented, so the event is spelt out, in the form of every EventBridge
# event. Scheduler fills in the <aws.scheduler...> words (User Guide, "Adding context attributes").
_EVENT = {
    "version": "0",
    "id": "<aws.scheduler.execution-id>",
    "detail-type": "Scheduled Event",
    "source": "aws.scheduler",
    "account": Aws.ACCOUNT_ID,
    "time": "<aws.scheduler.scheduled-time>",
    "region": Aws.REGION,
    "resources": ["<aws.scheduler.schedule-arn>"],
    "detail": {},
}

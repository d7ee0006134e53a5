"""The schedule that keeps tokens alive when no consumer needs one."""

from aws_cdk import Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from token_refresher.constructs.acknowledgements import INLINE, acknowledge
from token_refresher.constructs.dead_letter_queue import send_to


class RefreshSchedule(Construct):
    """An EventBridge Scheduler schedule, with its own group and its own role.

    It uses the L1 construct: the L2 target's role is in the stack's root and may invoke every version and alias.
    """

    def __init__(  # noqa: PLR0913 (keyword-only)
        self,
        scope: Construct,
        construct_id: str,
        *,
        description: str,
        expression: str,
        time_zone: str = "UTC",
        enabled: bool,
        target: lambda_.IFunction,
        dead_letters: sqs.IQueue | None,
    ) -> None:
        """Add the schedule. Without `dead_letters`, a tick that Lambda does not accept is lost."""
        super().__init__(scope, construct_id)
        # A group can have tags, a schedule cannot. The role trusts this group only.
        group = scheduler.CfnScheduleGroup(self, "Group")
        role = iam.Role(
            self,
            "Role",
            # Without the conditions, a schedule in another account could use this role. Scheduler names the group as
            # the source (User Guide, "Cross-service confused deputy prevention").
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
                        *(send_to(dead_letters, "KeepFailedTicks") if dead_letters else []),
                    ]
                )
            },
        )
        acknowledge(role, INLINE)
        scheduler.CfnSchedule(
            self,
            "Schedule",
            description=description,
            group_name=group.ref,
            schedule_expression=expression,
            schedule_expression_timezone=None if time_zone == "UTC" else time_zone,
            state=None if enabled else "DISABLED",
            # One light call needs no spreading, and a tick is easier to find at the time it was due.
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=target.function_arn,
                role_arn=role.role_arn,
                input=Stack.of(self).to_json_string(_EVENT),
                # These retries are for ticks that Lambda did not accept. Failures of the function are not retried.
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=3600 if dead_letters else 60,
                    maximum_retry_attempts=10 if dead_letters else 0,
                ),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=dead_letters.queue_arn)
                if dead_letters
                else None,
            ),
        )


# Scheduler's default input is not documented, so this spells out the event, in the form of every EventBridge event.
# Scheduler replaces the <aws.scheduler...> words (User Guide, "Adding context attributes").
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

"""The alarms that go off when the token pair is in danger, and the topic that they publish to."""

from datetime import timedelta

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from refresh_token.core.grant_life import WARN_BEFORE
from refresh_token.signals import Alarm
from token_refresher.constructs.heartbeat import Watch, watch_for
from token_refresher.constructs.refresh_metrics import RefreshMetrics

_FIVE_MINUTES = Duration.minutes(5)
_AS_THE_LAST_TICK_SAID = cloudwatch.TreatMissingData.IGNORE
"""Ticks are hours apart. What the last one reported stays true until the next."""


class Monitoring(Construct):
    """An encrypted topic, and alarms that publish to it when they go off and when they are over."""

    def __init__(  # noqa: PLR0913 (keyword-only)
        self,
        scope: Construct,
        construct_id: str,
        *,
        schedule: str,
        refreshes: bool,
        email: str | None,
        metrics: RefreshMetrics,
        function: lambda_.IFunction,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        self.alarms: list[cloudwatch.Alarm] = []
        self.topic = sns.Topic(self, "Alarms", master_key=_alarm_key(self), enforce_ssl=True)
        # Our policy (TLS only) replaces SNS's default policy, which lets the account's alarms publish.
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="LetAlarmsPublish",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        if email:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))
        watch = watch_for(schedule)
        if refreshes:
            self._watch_refreshes(metrics, watch)
        else:
            self._watch_static_token(metrics)
        self._alarm(
            Alarm.NO_HEARTBEAT,
            f"No tick of {schedule} reached the function for two periods: nothing keeps the token alive.",
            metric=metrics.metric_ticked(period=Duration.seconds(watch.period)),
            comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            periods=watch.periods,
            missing=cloudwatch.TreatMissingData.BREACHING,
        )
        self._alarm(
            Alarm.FUNCTION_ERRORS,
            "The refresh function raised an error.",
            metric=function.metric_errors(period=_FIVE_MINUTES, statistic="Sum"),
        )
        self._alarm(
            Alarm.THROTTLES,
            "Lambda throttled the refresh function: too many functions are running at once.",
            metric=function.metric_throttles(period=_FIVE_MINUTES, statistic="Sum"),
        )
        self._alarm(
            Alarm.DEAD_LETTERS,
            "A tick or an asynchronous invocation failed and is in the dead-letter queue.",
            metric=dead_letters.metric_approximate_number_of_messages_visible(
                period=_FIVE_MINUTES, statistic="Maximum"
            ),
        )

    def _watch_refreshes(self, metrics: RefreshMetrics, watch: Watch) -> None:
        self._alarm(
            Alarm.TOKEN_NOT_STORED,
            "A token was refreshed but could not be stored: the token in the secret is dead.",
            metric=metrics.metric_token_not_stored(),
        )
        self._alarm(
            Alarm.REAUTHORIZATION_REQUIRED,
            "The issuer refuses the refresh token: a person must sign in again.",
            metric=metrics.metric_reauthorization_required(),
        )
        self._alarm(
            Alarm.TOKEN_EXPIRES,
            "The access token is in its mandatory window: refreshes have failed since the advisory window began.",
            metric=metrics.metric_overdue(),
            missing=_AS_THE_LAST_TICK_SAID,
        )
        self._alarm(
            Alarm.GRANT_EXPIRES,
            f"The grant ends soon, in {WARN_BEFORE.days} days at most: a person must sign in again.",
            # Each period holds a tick, so the alarm does not come and go with the ticks. When the end is not known any
            # more, it goes away. The smallest value in a period is the one after a sign-in.
            metric=metrics.metric_grant_ending(period=Duration.seconds(watch.period), statistic="Minimum"),
            periods=watch.periods,
            breaching_periods=1,
        )

    def _watch_static_token(self, metrics: RefreshMetrics) -> None:
        self._alarm(
            Alarm.REAUTHORIZATION_REQUIRED,
            "The token is dead: a person must store the next one.",
            metric=metrics.metric_reauthorization_required(),
        )
        for name, days in Alarm.STATIC_TOKEN_EXPIRES.items():
            self._alarm(
                name,
                f"The token expires in {days} day{'s' if days > 1 else ''} or less: a person must store the next one.",
                metric=metrics.metric_seconds_until_expiry(),
                threshold=timedelta(days=days).total_seconds(),
                comparison=cloudwatch.ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD,
                missing=_AS_THE_LAST_TICK_SAID,
            )

    def _alarm(  # noqa: PLR0913 (keyword-only)
        self,
        name: str,
        description: str,
        *,
        metric: cloudwatch.IMetric,
        threshold: float = 1,
        comparison: cloudwatch.ComparisonOperator = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        periods: int = 1,
        breaching_periods: int | None = None,
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> None:
        """Add an alarm, on a count of one by default. The runbook has an entry with its name.

        It goes off when `breaching_periods` of the last `periods` are beyond the threshold, by default all of them.
        """
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_description=f"{description} See docs/runbook.md#{name.lower()}",
            metric=metric,
            threshold=threshold,
            comparison_operator=comparison,
            evaluation_periods=periods,
            datapoints_to_alarm=breaching_periods,
            treat_missing_data=missing,
        )
        notify = actions.SnsAction(self.topic)
        alarm.add_alarm_action(notify)
        alarm.add_ok_action(notify)
        self.alarms.append(alarm)


def _alarm_key(scope: Construct) -> kms.Key:
    """Return the topic's key. CloudWatch may not use SNS's AWS managed key: alarms would get lost without an error."""
    key = kms.Key(
        scope,
        "Key",
        description="Encrypts the alarm topic.",
        enable_key_rotation=True,
        # Nothing stays encrypted with this key for longer than it takes to deliver a notification.
        removal_policy=RemovalPolicy.DESTROY,
        pending_window=Duration.days(7),
    )
    # The statement is from the CloudWatch User Guide. It has no condition there, and a condition that CloudWatch does
    # not meet would lose every alarm without an error. The topic's policy says who may publish.
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="LetAlarmsEncrypt",
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            actions=["kms:Decrypt", "kms:GenerateDataKey*"],
            resources=["*"],
        )
    )
    return key

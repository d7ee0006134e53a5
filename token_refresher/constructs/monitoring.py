"""The alarms that go off when the token pair is in danger. Each tick sends their states, and ticks are hours apart."""

from datetime import timedelta

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from refresh_token.core.grant_life import WARN_BEFORE
from refresh_token.signals import Alarm
from token_refresher.constructs.alarm_list import FIVE_MINUTES, AlarmList, filled
from token_refresher.constructs.alarm_topic import alarm_topic
from token_refresher.constructs.composite_alarms import CompositeAlarms
from token_refresher.constructs.heartbeat import watch_for
from token_refresher.constructs.new_version import errors_of_new_version
from token_refresher.constructs.refresh_metrics import RefreshMetrics
from token_refresher.props import Props
from token_refresher.settings.combinations import clock_change
from token_refresher.settings.refresher_settings import RefresherSettings


class Monitoring(AlarmList):
    """A topic, and alarms that publish to it when they go off and when they are over."""

    def __init__(  # noqa: PLR0913 (keyword-only)
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: RefresherSettings,
        props: Props,
        refreshes: bool,
        emulator: bool,
        metrics: RefreshMetrics,
        function: lambda_.Function,
        dead_letters: sqs.IQueue,
    ) -> None:
        """Add the alarms. For an `emulator`, leave out those that local AWS emulators cannot watch."""
        super().__init__(scope, construct_id)
        self._metrics = metrics
        self.topic = alarm_topic(self, props, email=settings["alarm_email"])
        self._watch_states(refreshes=refreshes)
        if not refreshes:
            self._watch_static_token()
        self.alarm(
            Alarm.DEAD_LETTERS,
            "A tick could not be delivered to the function and is in the dead-letter queue.",
            metric=dead_letters.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES, statistic="Maximum"),
        )
        self.new_version_fails: cloudwatch.Alarm | None = None
        """For `Canary`."""
        if not emulator:
            if settings["schedule_enabled"]:
                self._watch_heartbeat(settings)
            self._watch_rates(function, refreshes=refreshes)
            if settings["canary"]:
                self.new_version_fails = self._watch_new_version(function)
            self.composites = CompositeAlarms(self, self.alarms, can_wait=Alarm.CAN_WAIT)

    def _watch_states(self, *, refreshes: bool) -> None:
        metrics = self._metrics
        self.state(
            Alarm.REAUTHORIZATION_REQUIRED,
            "The issuer refuses the refresh token, or the secret holds no pair: a person must sign in."
            if refreshes
            else "The token is dead, or the secret holds none: a person must store the next one.",
            metrics.metric_needs_sign_in(),
        )
        self.state(
            Alarm.FUNCTION_ERRORS,
            "The function fails through a fault of this deployment. The metric Failures counts its errors by reason.",
            metrics.metric_failing(),
        )
        if refreshes:
            self.state(
                Alarm.TOKEN_NOT_STORED,
                "A token was refreshed but could not be stored: the token in the secret is dead.",
                metrics.metric_pair_not_stored(),
            )
            self.state(
                Alarm.TOKEN_EXPIRES,
                "The access token is in its mandatory window: refreshes have failed since the advisory window began.",
                metrics.metric_overdue(),
            )
            self.state(
                Alarm.GRANT_EXPIRES,
                f"The grant ends soon, in {WARN_BEFORE.days} days at most: a person must sign in again.",
                metrics.metric_grant_ending(),
            )

    def _watch_static_token(self) -> None:
        for name, days in Alarm.STATIC_TOKEN_EXPIRES.items():
            self.alarm(
                name,
                f"The token expires in {days} day{'s' if days > 1 else ''} or less: a person must store the next one.",
                metric=self._metrics.metric_seconds_until_expiry(),
                threshold=timedelta(days=days).total_seconds(),
                comparison=cloudwatch.ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD,
                missing=cloudwatch.TreatMissingData.IGNORE,
            )

    def _watch_heartbeat(self, settings: RefresherSettings) -> None:
        watch = watch_for(settings["schedule"], late=clock_change(settings))
        period = Duration.seconds(watch.period)
        self.alarm(
            Alarm.NO_HEARTBEAT,
            f"No tick of {settings['schedule']} reached the function for two periods: nothing keeps the token alive.",
            metric=filled("ticked", self._metrics.metric_ticked(period=period), period),
            comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            periods=watch.periods,
            missing=cloudwatch.TreatMissingData.BREACHING,
        )

    def _watch_rates(self, function: lambda_.IFunction, *, refreshes: bool) -> None:
        if refreshes:
            self.rate(
                Alarm.REQUESTS_FAIL,
                "Consumers have got no token for some time: the issuer, or a service of AWS, does not answer.",
                filled("unserved", self._metrics.metric_unserved()),
            )
        errors = function.metric_errors(period=FIVE_MINUTES, statistic="Sum")
        self.rate(
            Alarm.FUNCTION_CRASHES,
            "The function ends without an answer: it runs out of time or memory, or cannot start.",
            # Those that raised have counted themselves. Some of the counts can be a minute late.
            cloudwatch.MathExpression(
                expression="FILL(errors, 0) - FILL(raised, 0)",
                using_metrics={"errors": errors, "raised": self._metrics.metric_failures()},
                period=FIVE_MINUTES,
            ),
        )
        self.rate(
            Alarm.THROTTLES,
            "Lambda throttles the refresh function: too many functions are running at once.",
            filled("throttles", function.metric_throttles(period=FIVE_MINUTES, statistic="Sum")),
        )

    def _watch_new_version(self, function: lambda_.Function) -> cloudwatch.Alarm:
        return self.alarm(
            Alarm.NEW_VERSION_FAILS,
            "The version that was deployed last fails through a fault of its own. Its deployment is rolled back.",
            metric=errors_of_new_version(function, self._metrics),
            # In three minutes, because the function's own counts can be two minutes late.
            periods=5,
            breaching_periods=3,
        )

"""The whole of it as one construct, for our own stack and for anybody's.

In another app:

    from token_refresher import TokenRefresher

    figma = TokenRefresher(self, "Figma", schedule="rate(6 hours)", alarm_email="on-call@example.com")
    figma.grant_invoke(consumer)
    consumer.add_environment("FUNCTION_NAME", figma.alias.function_arn)
    consumer.add_layers(figma.layer)

How to come by the import: docs/infrastructure.md.
"""

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import RemovalPolicy, Stack, Token
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from token_refresher.bundling.bundle import function_bundle
from token_refresher.constructs.app_secret import AppSecret
from token_refresher.constructs.client_layer import ClientLayer
from token_refresher.constructs.dashboard import Dashboard
from token_refresher.constructs.dead_letter_queue import DeadLetterQueue
from token_refresher.constructs.lock_table import LockTable
from token_refresher.constructs.monitoring import Monitoring
from token_refresher.constructs.refresh_function import RefreshFunction
from token_refresher.constructs.refresh_metrics import RefreshMetrics
from token_refresher.constructs.refresh_schedule import RefreshSchedule
from token_refresher.constructs.token_secret import TokenSecret
from token_refresher.settings.issuer_rules import AMPLIFY
from token_refresher.settings.reader import SettingsError
from token_refresher.settings.refresher_settings import Architecture, RefresherSettings
from token_refresher.settings.rules import SERVICE_NAME


class TokenRefresher(RefreshMetrics):
    """Keeps one Figma token pair alive: secret, lock, function, schedule, alarms, dashboard, and the client's layer.

    Needs nothing of the app around it: no context, no feature flags, no Docker. It names nothing but what
    `parameter_path` says, so there may be several in a stack. The metric methods are those of `RefreshMetrics`.
    """

    def __init__(  # noqa: PLR0913 (keyword-only)
        self,
        scope: Construct,
        construct_id: str,
        *,
        schedule: str = "rate(12 hours)",
        advisory_window_hours: int = 168,
        mandatory_window_hours: int = 24,
        issuer: str = AMPLIFY,
        figma_base_url: str = "https://api.figma.com",
        oauth2_token_url: str | None = None,
        oauth2_client_auth: str = "basic",
        oauth2_scope: str | None = None,
        oauth2_extra_parameters: Mapping[str, str] | None = None,
        oauth2_default_lifetime_seconds: int = 3600,
        log_retention_days: int = 30,
        architecture: Architecture = "arm64",
        memory_mb: int = 512,
        timeout_seconds: int = 60,
        reserved_concurrency: int | None = None,
        snap_start: bool = False,
        customer_managed_key: bool = False,
        alarm_email: str | None = None,
        amplifyuibuilder_endpoint_url: str | None = None,
        allow_http_issuer: bool = False,
        service_name: str | None = None,
        parameter_path: str | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
        asset: Path | None = None,
    ) -> None:
        """Add the resources to `scope`.

        The props up to `amplifyuibuilder_endpoint_url` are the settings of the README, with the same names, rules and
        defaults.

        Args:
            scope: The stack, or a construct in it.
            construct_id: Its name there.
            schedule: When the token is looked at: an EventBridge Scheduler expression.
            advisory_window_hours: From so long before the expiry on the schedule refreshes.
            mandatory_window_hours: From so long before the expiry on consumers refresh, too.
            issuer: Who refreshes.
            figma_base_url: Where Figma is, with `issuer="figma"`.
            oauth2_token_url: Where the server's token endpoint is, with `issuer="oauth2"`.
            oauth2_client_auth: How the app's credentials are sent there.
            oauth2_scope: What is asked for there.
            oauth2_extra_parameters: What else is sent there. No place for a secret.
            oauth2_default_lifetime_seconds: How long a token of that server lives if it does not say.
            log_retention_days: Days that logs are kept.
            architecture: Of the function.
            memory_mb: Of the function.
            timeout_seconds: Of the function.
            reserved_concurrency: How many of it may run at once.
            snap_start: Whether it starts from a snapshot.
            customer_managed_key: Whether the secrets have a KMS key of their own.
            alarm_email: Who is told of the alarms.
            amplifyuibuilder_endpoint_url: Where the calls of `issuer="amplify"` go instead.
            allow_http_issuer: Whether the address of another issuer may be http: for a stand-in on a local cloud.
            service_name: The dimension `service` of the metrics, which must be this refresher's alone in account and
                region. The stack's name and the path in it by default.
            parameter_path: Where Parameter Store gets `<path>/function-arn`, the alias's ARN, and
                `<path>/client-layer-arn`. Nowhere by default.
            removal_policy: Of secrets, key, lock table, logs and layer.
            asset: The function's folder, from `token_refresher.bundling`. Built by default, which takes pip and a
                package index the first time.

        Raises:
            SettingsError: one or more props break their rules; with a line for each.
            BundlingError: the function's packages could not be installed.

        """
        super().__init__(scope, construct_id)
        settings = RefresherSettings.checked(
            schedule=schedule,
            advisory_window_hours=advisory_window_hours,
            mandatory_window_hours=mandatory_window_hours,
            issuer=issuer,
            figma_base_url=figma_base_url,
            oauth2_token_url=oauth2_token_url,
            oauth2_client_auth=oauth2_client_auth,
            oauth2_scope=oauth2_scope,
            oauth2_extra_parameters=oauth2_extra_parameters,
            oauth2_default_lifetime_seconds=oauth2_default_lifetime_seconds,
            log_retention_days=log_retention_days,
            architecture=architecture,
            memory_mb=memory_mb,
            timeout_seconds=timeout_seconds,
            reserved_concurrency=reserved_concurrency,
            snap_start=snap_start,
            customer_managed_key=customer_managed_key,
            alarm_email=alarm_email,
            amplifyuibuilder_endpoint_url=amplifyuibuilder_endpoint_url,
            allow_http_issuer=allow_http_issuer,
        )
        self.service_name = _checked_name(service_name or _own_name(self))
        self._secret = TokenSecret(
            self, "Secret", customer_managed_key=settings.customer_managed_key, removal_policy=removal_policy
        )
        app_secret = (
            None
            if issuer == AMPLIFY
            else AppSecret(self, "AppSecret", key=self._secret.key, removal_policy=removal_policy)
        )
        lock = LockTable(self, "Lock", removal_policy=removal_policy)
        dead_letters = DeadLetterQueue(self, "DeadLetters").queue
        refresh = RefreshFunction(
            self,
            "Refresh",
            settings=settings,
            service_name=self.service_name,
            asset=asset or function_bundle(settings.architecture),
            secret=self._secret,
            app_secret=app_secret,
            lock_table=lock.table,
            failure_queue=dead_letters,
            removal_policy=removal_policy,
        )
        RefreshSchedule(self, "Schedule", expression=settings.schedule, target=refresh.alias, dead_letters=dead_letters)
        monitoring = Monitoring(
            self,
            "Monitoring",
            schedule=settings.schedule,
            email=settings.alarm_email,
            metrics=self,
            function=refresh.function,
            dead_letters=dead_letters,
        )
        dashboard = Dashboard(
            self,
            "Dashboard",
            metrics=self,
            alarms=monitoring.alarms,
            function=refresh.function,
            log_group=refresh.log_group,
            dead_letters=dead_letters,
            advisory_window_hours=settings.advisory_window_hours,
            mandatory_window_hours=settings.mandatory_window_hours,
        )
        layer = ClientLayer(self, "Client", removal_policy=removal_policy).layer

        self.function: lambda_.Function = refresh.function
        """The function itself. Call it through `alias`."""
        self.alias: lambda_.Alias = refresh.alias
        """The alias `live`, which consumers and the schedule call."""
        self.layer: lambda_.LayerVersion = layer
        """The layer with `token_client`."""
        self.secret_arn: str = self._secret.arn
        """Of the secret with the token pair."""
        self.app_secret_arn: str | None = app_secret.arn if app_secret else None
        """Of the secret with the app's credentials, which every issuer but `amplify` needs."""
        self.encryption_key: kms.Key | None = self._secret.key
        """The secrets' own key, where `customer_managed_key` asked for one."""
        self.lock_table: dynamodb.Table = lock.table
        """The claims on refreshes."""
        self.queue: sqs.Queue = dead_letters
        """The dead-letter queue."""
        self.topic: sns.Topic = monitoring.topic
        """Where the alarms go; add subscriptions as you like."""
        self.alarms: list[cloudwatch.Alarm] = monitoring.alarms
        """The alarms; add actions as you like."""
        self.dashboard: cloudwatch.Dashboard = dashboard.dashboard
        """The dashboard."""

        if parameter_path:
            _publish(self, parameter_path, "function-arn", self.alias.function_arn)
            _publish(self, parameter_path, "client-layer-arn", self.layer.layer_version_arn)

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody ask for tokens, through the alias `live`."""
        return self.alias.grant_invoke(grantee)

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody of this account read the token pair, refresh token and all, but not the app's credentials.

        Consumers need `grant_invoke` only.
        """
        return self._secret.grant_read(grantee)


def _own_name(refresher: TokenRefresher) -> str:
    stack = Stack.of(refresher)
    inside = refresher.node.path.removeprefix(stack.node.path).lstrip("/")
    return f"{stack.stack_name}/{inside}"


def _checked_name(name: str) -> str:
    """Return the name; one that is known only in the account, as a nested stack's, is believed."""
    try:
        return name if Token.is_unresolved(name) else SERVICE_NAME.read(name)
    except ValueError as error:
        raise SettingsError([f"service_name={name}: {error}"]) from None


def _publish(scope: Construct, path: str, name: str, value: str) -> None:
    ssm.StringParameter(scope, f"Parameter-{name}", parameter_name=f"{path.rstrip('/')}/{name}", string_value=value)

"""The function, its log group and its alias."""

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import Annotations, Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from refresh_token.core.refresh_policy import AUTO
from refresh_token.environment import (
    ADVISORY_WINDOW,
    EVENT_BUS,
    GRANT_ABSOLUTE,
    GRANT_IDLE,
    LOCK_TABLE,
    MANDATORY_WINDOW,
    REFRESH_MARGIN,
    REFRESH_POLICY,
    SECRET_ARN,
)
from refresh_token.oauth.variables import APP_SECRET_ARN, SIGNING_KEY
from token_refresher.constructs.app_secret import AppSecret
from token_refresher.constructs.ca_layer import CA_PATH, ca_layer
from token_refresher.constructs.function_role import function_role
from token_refresher.constructs.log_group import log_group
from token_refresher.constructs.python_function import MAX_VARIABLES, python_function, size_of
from token_refresher.constructs.signing_key import SigningKey
from token_refresher.constructs.token_secret import TokenSecret
from token_refresher.issuers import Issuer
from token_refresher.props import Props
from token_refresher.settings.reader import SettingsError
from token_refresher.settings.refresher_settings import RefresherSettings

LIVE = "live"


class RefreshFunction(Construct):
    """Answers consumers and the schedule, both through the alias `live`.

    A deployment that changes code or configuration publishes a version, moves the alias to it and deletes the version
    before. `asset` is a folder from `token_refresher.bundling`. `service_name` is the dimension `service` of the
    metrics. `app_secret` and `signing_key` are None for an issuer that needs none.
    """

    def __init__(  # noqa: PLR0913 (keyword-only)
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: RefresherSettings,
        props: Props,
        issuer: Issuer,
        service_name: str,
        asset: Path,
        secret: TokenSecret,
        app_secret: AppSecret | None,
        signing_key: SigningKey | None,
        lock_table: dynamodb.ITable,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        self.log_group: logs.ILogGroup = props.get("log_group") or log_group(
            self, days=settings["log_retention_days"], key=props.get("log_key"), removal_policy=removal_policy
        )
        variables = {
            SECRET_ARN: secret.arn,
            LOCK_TABLE: lock_table.table_name,
            ADVISORY_WINDOW: str(settings["advisory_window_hours"] * 3600),
            MANDATORY_WINDOW: str(settings["mandatory_window_hours"] * 3600),
            # Powertools adds it to each metric as the dimension `service`.
            "POWERTOOLS_SERVICE_NAME": service_name,
            "POWERTOOLS_LOG_LEVEL": settings["log_level"],
            **_unless_default(settings),
            **issuer.variables,
            **({APP_SECRET_ARN: app_secret.arn} if app_secret else {}),
            **({SIGNING_KEY: signing_key.arn} if signing_key else {}),
            **({EVENT_BUS: settings["event_bus"]} if settings["event_bus"] else {}),
        }
        layers = list(props.get("layers", ()))
        if "ca_bundle" in props:
            layers.append(ca_layer(self, props["ca_bundle"]))
            variables["AWS_CA_BUNDLE"] = CA_PATH
        variables = {**props.get("environment", {}), **variables}
        _check_size(variables, issuer)
        role, permissions, self.allow = function_role(
            self,
            issuer=issuer,
            log_group=self.log_group,
            secret=secret,
            app_secret=app_secret,
            signing_key=signing_key,
            lock_table=lock_table,
            event_bus=settings["event_bus"],
            tracing=settings["tracing"],
            in_network="vpc" in props,
            existing=props.get("role"),
        )
        self.function = python_function(
            self,
            description=f"Keeps a {issuer.title} token pair alive and hands out the live access token.",
            handler="handler",
            settings=settings,
            props=props,
            asset=asset,
            variables=variables,
            layers=layers,
            role=role,
            permissions=permissions,
            log_group=self.log_group,
            timeout=settings["timeout_seconds"],
            name=props.get("function_name"),
            snap_start=settings["snap_start"],
            reserved_concurrency=settings["reserved_concurrency"],
        )
        # The alias below makes a published version.
        Annotations.of(self.function).acknowledge_warning("@aws-cdk/aws-lambda:snapStartRequirePublish")
        self.alias = lambda_.Alias(
            self,
            "Live",
            alias_name=LIVE,
            description="Consumers and the schedule call this alias.",
            version=self.function.current_version,
        )
        # Function and alias each have separate configurations for asynchronous calls.
        for target in (self.function, self.alias):
            # The schedule is the retry. The function must not retry a refused grant at once.
            target.configure_async_invoke(retry_attempts=0, max_event_age=Duration.hours(1))


def _unless_default(settings: RefresherSettings) -> dict[str, str]:
    """Return the variables that the function needs only for other values than its defaults."""
    variables = {
        REFRESH_MARGIN: settings["refresh_margin_seconds"],
        REFRESH_POLICY: settings["refresh_policy"],
        GRANT_IDLE: settings["grant_idle_days"],
        GRANT_ABSOLUTE: settings["grant_absolute_days"],
    }
    return {name: str(value) for name, value in variables.items() if value not in (0, None, AUTO)}


def _check_size(variables: Mapping[str, str], issuer: Issuer) -> None:
    """Raise SettingsError if Lambda would refuse so many variables."""
    if (size := size_of(variables)) > MAX_VARIABLES:
        fault = f"the function's variables would have {size} bytes, and Lambda takes at most {MAX_VARIABLES}. "
        how = "Shorten the profile, such as the `about` of its parameters, or the prop environment"
        raise SettingsError([f"issuer={issuer.name}: {fault}{how}"])

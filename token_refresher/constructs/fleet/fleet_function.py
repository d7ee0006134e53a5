"""One of the three functions of a fleet, with its log group and its role."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from aws_cdk import Annotations, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from token_refresher.constructs.acknowledgements import INLINE, acknowledge
from token_refresher.constructs.empty_secret import any_key_as_shown
from token_refresher.constructs.log_group import log_group
from token_refresher.constructs.python_function import python_function
from token_refresher.constructs.refresh_function import LIVE
from token_refresher.constructs.statements import ANY_RESOURCE, run
from token_refresher.props import SharedProps
from token_refresher.settings.fleet_settings import StandAloneSettings


class FleetFunction(Construct):
    """The function of one handler, which may do what `statements` allow."""

    def __init__(  # noqa: PLR0913 (keyword-only)
        self,
        scope: Construct,
        construct_id: str,
        *,
        description: str,
        handler: str,
        settings: StandAloneSettings,
        props: SharedProps,
        asset: Path,
        variables: Mapping[str, str],
        layers: Sequence[lambda_.ILayerVersion],
        statements: Sequence[iam.PolicyStatement],
        removal_policy: RemovalPolicy,
        timeout: int,
        snap_start: bool = False,
        reserved_concurrency: int | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.log_group = log_group(
            self, days=settings["log_retention_days"], key=props.get("log_key"), removal_policy=removal_policy
        )
        basics = run(self.log_group, tracing=settings["tracing"], in_network="vpc" in props)
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={"RefreshToken": iam.PolicyDocument(statements=[*basics, *statements])},
        )
        acknowledge(
            self.role,
            {
                "AwsSolutions-IAM5[Resource::*]": ANY_RESOURCE,
                f"AwsSolutions-IAM5[Resource::{any_key_as_shown(self)}]": "Only through Secrets Manager, and only the "
                "keys that encrypt the apps' secrets. A role that named one would be refused while the key changes.",
                **INLINE,
            },
        )
        self.function = python_function(
            self,
            description=description,
            handler=handler,
            settings=settings,
            props=props,
            asset=asset,
            variables=variables,
            layers=layers,
            role=self.role,
            permissions=[],
            log_group=self.log_group,
            timeout=timeout,
            snap_start=snap_start,
            reserved_concurrency=reserved_concurrency,
        )
        _no_retries(self.function)


def live_alias(scope: Construct, function: lambda_.Function) -> lambda_.Alias:
    """Add the alias that consumers call."""
    # The alias makes a published version.
    Annotations.of(function).acknowledge_warning("@aws-cdk/aws-lambda:snapStartRequirePublish")
    alias = lambda_.Alias(
        scope,
        "Live",
        alias_name=LIVE,
        description="Consumers call this alias.",
        version=function.current_version,
    )
    _no_retries(alias)
    return alias


def _no_retries(function: lambda_.IFunction) -> None:
    """Let nothing repeat an asynchronous call: the schedule, or the queue, is the retry."""
    function.configure_async_invoke(retry_attempts=0, max_event_age=Duration.minutes(1))

"""A deployment that tries the new version first, and goes back to the old one if that fails.

docs/adr/0009 has the reasons. CodeDeploy moves the alias: a function ticks the new version, which then gets a tenth of
the calls for ten minutes, then all of them. If the tick fails or the alarm goes off, CodeDeploy moves the alias back,
and CloudFormation rolls back the whole update.
"""

from pathlib import Path
from typing import cast

from aws_cdk import (
    ArnFormat,
    CfnCodeDeployLambdaAliasUpdate,
    CfnUpdatePolicy,
    Duration,
    RemovalPolicy,
    Stack,
)
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from token_refresher.constructs.acknowledgements import INLINE, acknowledge
from token_refresher.constructs.log_group import log_group
from token_refresher.settings.refresher_settings import RefresherSettings

_GROUP = "live"
"""The deployment group's name, which is unique in its application. The smoke test's role needs it before the group
exists."""


class Canary(Construct):
    """Makes CloudFormation move `alias` with CodeDeploy."""

    def __init__(  # noqa: PLR0913 (keyword-only)
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: RefresherSettings,
        function: lambda_.Function,
        alias: lambda_.Alias,
        alarm: cloudwatch.IAlarm | None,
    ) -> None:
        super().__init__(scope, construct_id)
        # Not the alias's own ARN: with its update policy, the alias waits for all of this.
        self._live = f"{function.function_arn}:{alias.alias_name}"
        application = codedeploy.CfnApplication(self, "Application", compute_platform="Lambda")
        smoke_test = self._smoke_test(settings, function, application)
        group = codedeploy.CfnDeploymentGroup(
            self,
            "Group",
            application_name=application.ref,
            deployment_group_name=_GROUP,
            service_role_arn=self._service_role(function, smoke_test).role_arn,
            deployment_config_name="CodeDeployDefault.LambdaCanary10Percent10Minutes",
            deployment_style=codedeploy.CfnDeploymentGroup.DeploymentStyleProperty(
                deployment_type="BLUE_GREEN", deployment_option="WITH_TRAFFIC_CONTROL"
            ),
            # Without this, CodeDeploy would keep the alarm of an earlier deployment, and stop if it is gone.
            alarm_configuration=codedeploy.CfnDeploymentGroup.AlarmConfigurationProperty(
                enabled=alarm is not None,
                alarms=[codedeploy.CfnDeploymentGroup.AlarmProperty(name=alarm.alarm_name)] if alarm else [],
            ),
            auto_rollback_configuration=codedeploy.CfnDeploymentGroup.AutoRollbackConfigurationProperty(
                enabled=True, events=["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"]
            ),
        )
        resource = cast("lambda_.CfnAlias", alias.node.default_child)
        resource.cfn_options.update_policy = CfnUpdatePolicy(
            code_deploy_lambda_alias_update=CfnCodeDeployLambdaAliasUpdate(
                application_name=application.ref,
                deployment_group_name=group.ref,
                before_allow_traffic_hook=smoke_test.function_name,
            )
        )

    def _smoke_test(
        self, settings: RefresherSettings, function: lambda_.Function, application: codedeploy.CfnApplication
    ) -> lambda_.Function:
        scope = Construct(self, "SmokeTest")
        logs = log_group(scope, days=settings["log_retention_days"], key=None, removal_policy=RemovalPolicy.DESTROY)
        group = Stack.of(self).format_arn(
            service="codedeploy",
            resource="deploymentgroup",
            resource_name=f"{application.ref}/{_GROUP}",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        role = iam.Role(
            scope,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={
                "SmokeTest": iam.PolicyDocument(
                    statements=[
                        _allow("WriteOwnLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], logs.log_group_arn),
                        _allow("Tick", ["lambda:InvokeFunction"], f"{function.function_arn}:*"),
                        _allow(
                            "Report",
                            ["codedeploy:GetDeployment", "codedeploy:PutLifecycleEventHookExecutionStatus"],
                            group,
                        ),
                    ]
                )
            },
        )
        _acknowledge_versions(role, function)
        smoke_test = lambda_.Function(
            scope,
            "Function",
            description="Ticks a new version of the refresh function before callers get it.",
            code=lambda_.Code.from_inline(Path(__file__).with_name("smoke_test.py").read_text(encoding="utf-8")),
            handler="index.lambda_handler",
            runtime=lambda_.Runtime.PYTHON_3_13,
            memory_size=256,
            # Two ticks, and the time to start and to wait.
            timeout=Duration.seconds(min(2 * settings["timeout_seconds"] + 70, 900)),
            environment={"NEW_VERSION": function.current_version.function_arn, "LIVE": self._live},
            role=role,
            log_group=logs,
        )
        cast("lambda_.CfnFunction", smoke_test.node.default_child).add_metadata(
            "cfn-lint",
            {"config": {"ignore_checks": ["W3005"]}},  # the CDK's DependsOn for the role, as in refresh_function.py
        )
        acknowledge(
            smoke_test,
            {
                "AwsSolutions-L1": "The runtime of the refresh function.",
                **dict.fromkeys(
                    ("CKV_AWS_115", "-LambdaConcurrency", "CKV_AWS_116", "-LambdaDLQ"),
                    "CodeDeploy calls it once in a deployment, and fails the deployment if it does not answer.",
                ),
                **dict.fromkeys(
                    ("CKV_AWS_117", "-LambdaInsideVPC"), "It calls only Lambda and CodeDeploy, and holds no data."
                ),
                "CKV_AWS_173": "The environment holds two ARNs. It is encrypted with Lambda's key.",
            },
        )
        return smoke_test

    def _service_role(self, function: lambda_.Function, smoke_test: lambda_.Function) -> iam.Role:
        """Return CodeDeploy's role: AWSCodeDeployRoleForLambdaLimited, for this function and without S3."""
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("codedeploy.amazonaws.com"),
            inline_policies={
                "Canary": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(
                            sid="MoveAlias",
                            actions=[
                                "lambda:GetAlias",
                                "lambda:GetProvisionedConcurrencyConfig",
                                "lambda:UpdateAlias",
                            ],
                            resources=[function.function_arn, f"{function.function_arn}:*"],
                        ),
                        _allow("RunSmokeTest", ["lambda:InvokeFunction"], smoke_test.function_arn),
                        _allow("WatchAlarm", ["cloudwatch:DescribeAlarms"], "*"),
                    ]
                )
            },
        )
        _acknowledge_versions(role, function)
        acknowledge(role, {"AwsSolutions-IAM5[Resource::*]": "CodeDeploy looks at alarms by name, a list at a time."})
        return role


def _allow(sid: str, actions: list[str], resource: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=sid, actions=actions, resources=[resource])


def _acknowledge_versions(role: iam.Role, function: lambda_.Function) -> None:
    arn = f"<{Stack.of(role).get_logical_id(cast('lambda_.CfnFunction', function.node.default_child))}.Arn>"
    reason = (
        "Each deployment has a version of its own. A policy that named it would change in the same deployment, and "
    )
    reason += "IAM takes some time to apply a change."
    acknowledge(role, {f"AwsSolutions-IAM5[Resource::{arn}:*]": reason, **INLINE})

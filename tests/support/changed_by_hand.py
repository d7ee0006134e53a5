"""What somebody changes by hand in the deployed stack. Each function breaks one thing; `tokenctl repair` mends it."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from local.deployment import Deployment
from refresh_token.environment import SECRET_ARN
from tokenctl.stack.target import LIVE

END = "2999-01-01T00:00:00Z"
"""When a changed schedule ends."""


def named(stack: Deployment, resource: str) -> str:
    """Return the physical id of the resource whose logical id begins with `resource`."""
    client = stack.cloud.client("cloudformation")
    found = client.list_stack_resources(StackName="RefreshToken-local")["StackResourceSummaries"]
    return str(next(each["PhysicalResourceId"] for each in found if each["LogicalResourceId"][:-8] == resource))


def change_the_function(stack: Deployment) -> None:
    client, name = stack.cloud.client("lambda"), stack.outputs["FunctionName"]
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    client.update_function_configuration(
        FunctionName=name,
        Timeout=3,
        MemorySize=128,
        TracingConfig={"Mode": "PassThrough"},
        Layers=[stack.outputs["ClientLayerArn"]],
        Environment={"Variables": {**variables, "SECRET_ARN": "", "KEY": "canary"}},
        KMSKeyArn=stack.cloud.client("kms").create_key()["KeyMetadata"]["Arn"],
    )
    throttle(stack)


def throttle(stack: Deployment) -> None:
    client = stack.cloud.client("lambda")
    client.put_function_concurrency(FunctionName=stack.outputs["FunctionName"], ReservedConcurrentExecutions=0)


def move_the_alias(stack: Deployment) -> None:
    """Let `live` name the version with what was just changed by hand, and retry what it is asked asynchronously."""
    client, name = stack.cloud.client("lambda"), stack.outputs["FunctionName"]
    deployed = client.get_alias(FunctionName=name, Name=LIVE)["FunctionVersion"]
    other = client.publish_version(FunctionName=name)["Version"]
    weights = {"AdditionalVersionWeights": {deployed: 0.5}}
    client.update_alias(FunctionName=name, Name=LIVE, FunctionVersion=other, RoutingConfig=weights)
    client.put_function_event_invoke_config(FunctionName=name, Qualifier=LIVE, MaximumRetryAttempts=2)


def delete_the_alias(stack: Deployment) -> None:
    stack.cloud.client("lambda").delete_alias(FunctionName=stack.outputs["FunctionName"], Name=LIVE)


def weaken_the_table(stack: Deployment) -> None:
    client, name = stack.cloud.client("dynamodb"), named(stack, "LockTable")
    off = {"Enabled": False, "AttributeName": "expiration"}
    client.update_time_to_live(TableName=name, TimeToLiveSpecification=off)
    client.update_table(TableName=name, DeletionProtectionEnabled=True)


def delete_the_table(stack: Deployment) -> None:
    client, name = stack.cloud.client("dynamodb"), named(stack, "LockTable")
    client.update_table(TableName=name, DeletionProtectionEnabled=False)
    client.delete_table(TableName=name)


def exchange_the_table(stack: Deployment) -> None:
    """Put a table with another key in its place."""
    delete_the_table(stack)
    stack.cloud.client("dynamodb").create_table(
        TableName=named(stack, "LockTable"),
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )


def misdirect_the_schedule(stack: Deployment) -> None:
    client = stack.cloud.client("scheduler")
    (summary,) = client.list_schedules()["Schedules"]
    schedule = client.get_schedule(Name=summary["Name"], GroupName=summary["GroupName"])
    kept = {key: schedule[key] for key in ("Name", "GroupName", "FlexibleTimeWindow")}
    role = schedule["Target"]["RoleArn"] + "x"
    target = {"Arn": stack.outputs["FunctionArn"], "RoleArn": role, "Input": "{}"}
    client.update_schedule(**kept, ScheduleExpression="rate(30 days)", Target=target, State="DISABLED", EndDate=END)


def end_the_schedule(stack: Deployment) -> None:
    client = stack.cloud.client("scheduler")
    (summary,) = client.list_schedules()["Schedules"]
    schedule = client.get_schedule(Name=summary["Name"], GroupName=summary["GroupName"])
    names = ("Name", "GroupName", "FlexibleTimeWindow", "ScheduleExpression", "Target", "Description")
    client.update_schedule(**{key: schedule[key] for key in names}, EndDate=datetime.now(UTC) - timedelta(days=1))


def mix_the_stages(stack: Deployment) -> None:
    """Let `live` use the secret of another stage."""
    other = stack.cloud.client("secretsmanager").create_secret(Name=f"other-{uuid.uuid4()}", SecretString="{}")["ARN"]
    configuration = stack.cloud.client("lambda").get_function_configuration(FunctionName=stack.outputs["FunctionName"])
    release(stack, Environment={"Variables": {**configuration["Environment"]["Variables"], SECRET_ARN: other}})


def break_the_code(stack: Deployment) -> None:
    release(stack, Handler="nothing.here")


def release(stack: Deployment, **settings: Any) -> None:
    """Let `live` name a version with other settings."""
    client, name = stack.cloud.client("lambda"), stack.outputs["FunctionName"]
    client.update_function_configuration(FunctionName=name, **settings)
    version = client.publish_version(FunctionName=name)["Version"]
    client.update_alias(FunctionName=name, Name=LIVE, FunctionVersion=version)


def delete_the_log_group(stack: Deployment) -> None:
    stack.cloud.client("logs").delete_log_group(logGroupName=named(stack, "RefreshLogs"))


def delete_the_schedule(stack: Deployment) -> None:
    client = stack.cloud.client("scheduler")
    (summary,) = client.list_schedules()["Schedules"]
    client.delete_schedule(Name=summary["Name"], GroupName=summary["GroupName"])


def weaken_the_roles(stack: Deployment) -> None:
    client, role = stack.cloud.client("iam"), named(stack, "RefreshRole")
    client.delete_role_policy(RoleName=role, PolicyName="RefreshToken")
    client.put_role_policy(RoleName=role, PolicyName="Granted", PolicyDocument=json.dumps(statements("Allow")))
    client.update_assume_role_policy(
        RoleName=named(stack, "ScheduleRole"),
        PolicyDocument=json.dumps(statements("Allow", Principal={"Service": "ec2.amazonaws.com"})),
    )


def deny_the_roles(stack: Deployment) -> None:
    """Deny both roles what they need: by another inline policy, by a managed one, and by a boundary."""
    client, role = stack.cloud.client("iam"), named(stack, "RefreshRole")
    deny = json.dumps(statements("Deny", Action="secretsmanager:*"))
    client.put_role_policy(RoleName=role, PolicyName="Lockdown", PolicyDocument=deny)
    client.put_role_permissions_boundary(RoleName=role, PermissionsBoundary="arn:aws:iam::aws:policy/ReadOnlyAccess")
    every = json.dumps(statements("Deny", Action="*"))
    managed = client.create_policy(PolicyName="Quarantine", PolicyDocument=every)["Policy"]["Arn"]
    client.attach_role_policy(RoleName=named(stack, "ScheduleRole"), PolicyArn=managed)


def open_the_function(stack: Deployment) -> None:
    """Let everybody call the alias through a URL, and another account call the function."""
    client = stack.cloud.client("lambda")
    name = {"FunctionName": stack.outputs["FunctionName"]}
    url = {"StatementId": "Url", "Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"}
    client.add_permission(**name, **url, Qualifier=LIVE, Principal="*")
    client.add_permission(**name, StatementId="Open", Action="lambda:InvokeFunction", Principal="*")
    client.add_permission(**name, StatementId="Granted", Action="lambda:InvokeFunction", Principal="111122223333")


def statements(effect: str, **more: Any) -> dict[str, Any]:
    where = {} if "Principal" in more else {"Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": "s3:GetObject", **where, **more}]}


def lock_the_secret(stack: Deployment) -> None:
    client, arn = stack.cloud.client("secretsmanager"), stack.outputs["SecretArn"]
    key = stack.cloud.client("kms").create_key()["KeyMetadata"]["KeyId"]
    client.update_secret(SecretId=arn, KmsKeyId=key)
    policy = statements("Deny", Action="secretsmanager:*", Principal="*", Resource="*")
    client.put_resource_policy(SecretId=arn, ResourcePolicy=json.dumps(policy))


def move_the_label(stack: Deployment) -> None:
    """Make the version before the current one again."""
    client, arn = stack.cloud.client("secretsmanager"), stack.outputs["SecretArn"]
    stages = client.describe_secret(SecretId=arn)["VersionIdsToStages"]
    labelled = {label: version for version, labels in stages.items() for label in labels}
    client.update_secret_version_stage(
        SecretId=arn,
        VersionStage="AWSCURRENT",
        MoveToVersionId=labelled["AWSPREVIOUS"],
        RemoveFromVersionId=labelled["AWSCURRENT"],
    )


def delete_the_secret(stack: Deployment) -> None:
    client = stack.cloud.client("secretsmanager")
    client.delete_secret(SecretId=stack.outputs["SecretArn"], RecoveryWindowInDays=7)


def silence_the_alarms(stack: Deployment) -> None:
    client, alarm = stack.cloud.client("cloudwatch"), named(stack, "MonitoringTokenExpires")
    client.disable_alarm_actions(AlarmNames=[named(stack, "MonitoringDeadLetters")])
    (found,) = client.describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
    kept = {key: found[key] for key in ("AlarmName", "MetricName", "Namespace", "Period", "ComparisonOperator")}
    client.put_metric_alarm(**kept, Statistic="Maximum", EvaluationPeriods=5, Threshold=1)
    client.delete_alarms(AlarmNames=[named(stack, "MonitoringGrantExpires")])


def loosen_queue_and_topic(stack: Deployment) -> None:
    queue, topic = stack.outputs["DeadLetterQueueUrl"], stack.outputs["AlarmTopicArn"]
    sqs, sns = stack.cloud.client("sqs"), stack.cloud.client("sns")
    sqs.create_queue(QueueName="lost")
    redrive = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:lost", "maxReceiveCount": 1}
    loose = {"MessageRetentionPeriod": "60", "Policy": "", "RedrivePolicy": json.dumps(redrive)}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=loose)
    sns.set_topic_attributes(TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue="alias/aws/sns")
    allowed = json.dumps(statements("Allow", Principal="*", Resource=topic))
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=allowed)
    kms, key = stack.cloud.client("kms"), named(stack, "MonitoringKey")
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(statements("Allow", Principal="*")))
    kms.disable_key(KeyId=key)


def delete_the_queue(stack: Deployment) -> None:
    stack.cloud.client("sqs").delete_queue(QueueUrl=stack.outputs["DeadLetterQueueUrl"])


def forget_what_is_read(stack: Deployment) -> None:
    """Shorten the log, delete the dashboard, and publish another function."""
    stack.cloud.client("logs").put_retention_policy(logGroupName=named(stack, "RefreshLogs"), retentionInDays=3)
    stack.cloud.client("cloudwatch").delete_dashboards(DashboardNames=[named(stack, "Dashboard")])
    name = named(stack, "Parameterfunctionarn")
    stack.cloud.client("ssm").put_parameter(Name=name, Value="canary", Overwrite=True)


def settings_in(report: list[dict[str, Any]]) -> set[str]:
    """Return the settings that `tokenctl repair` reports, with the names of their resources."""
    return {f"{change['resource']}.{setting['setting']}" for change in report for setting in change["settings"]}

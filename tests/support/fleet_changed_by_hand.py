"""What somebody changes by hand in a deployed fleet. Each function breaks one thing; `tokenctl repair` mends it."""

from typing import Any

from refresh_token.environment import CONNECTIONS_TABLE
from tests.support.deployed_fleet import DeployedFleet


def misdirect_the_mapping(fleet: DeployedFleet) -> None:
    client = fleet.cloud.client("lambda")
    (mapping,) = client.list_event_source_mappings(FunctionName=fleet.function("Worker"))["EventSourceMappings"]
    client.update_event_source_mapping(
        UUID=mapping["UUID"],
        FunctionName=fleet.function("Ask"),
        Enabled=False,
        BatchSize=100,
        MaximumBatchingWindowInSeconds=60,
        FunctionResponseTypes=[],
        ScalingConfig={"MaximumConcurrency": 500},
        FilterCriteria={"Filters": [{"Pattern": '{"body": {"none": ["x"]}}'}]},
    )


def let_connections_expire(fleet: DeployedFleet) -> None:
    """Let DynamoDB delete connections, keep no backups, and encrypt them with another key."""
    client, name = fleet.cloud.client("dynamodb"), fleet.table.name
    expiry = {"Enabled": True, "AttributeName": "claimUntil"}
    client.update_time_to_live(TableName=name, TimeToLiveSpecification=expiry)
    off = {"PointInTimeRecoveryEnabled": False}
    client.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=off)
    client.update_table(TableName=name, SSESpecification={"Enabled": False})
    fleet.cloud.client("kms").disable_key_rotation(KeyId=fleet.outputs["ConnectionsKeyArn"])


def delete_the_indexes(fleet: DeployedFleet) -> None:
    for index in ("due", "trouble"):
        change = [{"Delete": {"IndexName": index}}]
        fleet.cloud.client("dynamodb").update_table(TableName=fleet.table.name, GlobalSecondaryIndexUpdates=change)


def slow_the_schedule(fleet: DeployedFleet) -> None:
    """Let the dispatcher run each week, with a role that is not the stack's."""
    schedule = _schedule(fleet)
    target = {**schedule["Target"], "RoleArn": f"{schedule['Target']['RoleArn']}x"}
    changed = {**schedule, "ScheduleExpression": "rate(7 days)", "Target": target}
    fleet.cloud.client("scheduler").update_schedule(**changed)


def delete_the_schedule_group(fleet: DeployedFleet) -> None:
    fleet.cloud.client("scheduler").delete_schedule_group(Name=_schedule(fleet)["GroupName"])


def _schedule(fleet: DeployedFleet) -> dict[str, Any]:
    client = fleet.cloud.client("scheduler")
    (found,) = [each for each in client.list_schedules()["Schedules"] if "Dispatcher" in each["Target"]["Arn"]]
    schedule = client.get_schedule(Name=found["Name"], GroupName=found["GroupName"])
    kept = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target", "Description")
    return {key: schedule[key] for key in kept if key in schedule}


def break_the_worker(fleet: DeployedFleet) -> None:
    client = fleet.cloud.client("lambda")
    client.update_function_configuration(FunctionName=fleet.function("Worker"), Handler="nothing.here")


def delete_an_app(fleet: DeployedFleet) -> None:
    """Let the secret with the credentials of the second provider's app be deleted in a week."""
    client = fleet.cloud.client("secretsmanager")
    client.delete_secret(SecretId=fleet.outputs["AppSecretArnOauth2"], RecoveryWindowInDays=7)


def give_the_worker_another_table(fleet: DeployedFleet) -> None:
    client, name = fleet.cloud.client("lambda"), fleet.function("Worker")
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    changed = {**variables, CONNECTIONS_TABLE: "another"}
    client.update_function_configuration(FunctionName=name, Environment={"Variables": changed})


def delete_the_queues(fleet: DeployedFleet) -> None:
    for output in ("ConnectionsQueueUrl", "ConnectionsDeadLetterQueueUrl"):
        fleet.cloud.client("sqs").delete_queue(QueueUrl=fleet.outputs[output])

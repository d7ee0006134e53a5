"""Changes to the deployed stack that a test makes past our own commands."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from local.deployment import Deployment

AwsAnswers = Callable[..., None]


def put_secret(stack: Deployment, **value: str | bytes) -> None:
    stack.cloud.client("secretsmanager").put_secret_value(SecretId=stack.outputs["SecretArn"], **value)


def refreshes(stack: Deployment) -> int:
    return len(stack.cloud.standin.calls("RefreshToken"))


@contextmanager
def scheduled(stack: Deployment, state: str, expression: str = "rate(12 hours)") -> Iterator[None]:
    client = stack.cloud.client("scheduler")
    summary = client.list_schedules()["Schedules"][0]
    before = client.get_schedule(Name=summary["Name"], GroupName=summary["GroupName"])
    kept = {key: before[key] for key in ("Name", "GroupName", "Description", "FlexibleTimeWindow", "Target")}
    client.update_schedule(**kept, ScheduleExpression=expression, State=state)
    try:
        yield
    finally:
        client.update_schedule(**kept, ScheduleExpression=before["ScheduleExpression"], State=before["State"])

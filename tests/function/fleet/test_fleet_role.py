"""The roles that the stack gives a fleet's functions: each is enough, and its function needs all of it.

What they do not allow is in tests/infra/test_fleet_roles.py.
"""

import importlib
from contextlib import suppress
from datetime import UTC, datetime

import boto3
import pytest

from refresh_token.errors import RefreshTokenError
from tests.support.enforced_role import enforced
from tests.support.fleet import NAME
from tests.support.iam import QUEUE, Role
from tests.support.lambda_context import LambdaContext
from tests.support.moto_fleet import DOWN, MotoFleet
from tests.support.token_server import issued

OF_AWS = {"WriteOwnLogs", "Trace", "UseKeyForTable", "TakeWork"}
"""What Lambda and DynamoDB do with a role: logs, traces, the table's key, and the worker's queue."""

pytestmark = pytest.mark.usefixtures("fast_retries")


def needed(role: Role) -> set[tuple[str, str]]:
    assert role.denied == set()
    return {(sid, action) for sid, action in role.granted() if sid not in OF_AWS}


def used(role: Role) -> set[tuple[str, str]]:
    return {(sid, action) for sid, action in role.used if sid not in OF_AWS}


@pytest.fixture
def fleet_on_aws(fleet: MotoFleet, monkeypatch: pytest.MonkeyPatch) -> MotoFleet:
    monkeypatch.setenv("EVENT_BUS", "default")
    monkeypatch.setenv("CONNECTIONS_QUEUE_URL", boto3.client("sqs").create_queue(QueueName=QUEUE)["QueueUrl"])
    return fleet


def role_of(part: str, fleet: MotoFleet) -> Role:
    return Role("prod-fleet", app_secret_arn=fleet.app.arn, fleet_key=fleet.stage.key, part=f"Connections{part}")


def test_the_ask_function_uses_all_of_it(fleet_on_aws: MotoFleet) -> None:
    fleet, role = fleet_on_aws, role_of("Ask", fleet_on_aws)
    for window, reply in (("fresh", issued()), ("mandatory", DOWN), ("expired", issued(refresh_token="canary-next"))):
        fleet.server.answer(reply)
        fleet.seed(window)
        with enforced(role), suppress(RefreshTokenError):
            fleet.ask()
    assert used(role) == needed(role)


def test_the_worker_uses_all_of_it(fleet_on_aws: MotoFleet) -> None:
    fleet, role = fleet_on_aws, role_of("Worker", fleet_on_aws)
    for reply in (DOWN, issued(refresh_token="canary-next")):
        fleet.server.answer(reply)
        fleet.seed("expired")
        with enforced(role):
            fleet.work()
    assert used(role) == needed(role)


def test_the_dispatcher_uses_all_of_it(fleet_on_aws: MotoFleet) -> None:
    fleet, role = fleet_on_aws, role_of("Dispatcher", fleet_on_aws)
    fleet.seed("mandatory")
    fleet.stage.table.change(NAME, dueAt={"N": str(int(datetime.now(UTC).timestamp()) - 5)})
    dispatcher = importlib.import_module("refresh_token.dispatcher_handler")
    dispatcher._settings.cache_clear()
    with enforced(role):
        answer = dispatcher.lambda_handler({}, LambdaContext())
    dispatcher._settings.cache_clear()
    assert answer["sent"] == 1
    assert used(role) == needed(role)

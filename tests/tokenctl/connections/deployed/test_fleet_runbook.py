"""The runbook's entries about a fleet, followed to the letter: cause the trouble, run the commands, end healthy."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from refresh_token.fleet.attributes import encode
from refresh_token.fleet.names import shard_of
from refresh_token.fleet.signals import FleetAlarm
from tests.support.command_line import Tokenctl
from tests.support.deployed_fleet import DeployedFleet
from tests.support.processes import wait_until
from tests.support.runbook_operator import PAGE, Operator
from tests.support.windows import EXPIRED, FRESH

pytestmark = pytest.mark.xdist_group("connections-deployed")

NAME, OTHER = "acme/u1", "acme/u2"
"""The first is the connection that the page takes as its example."""

Act = Callable[[DeployedFleet], object]


@dataclass(frozen=True)
class Walk:
    cause: Act
    outside: Act = lambda _: None
    """What ends the trouble outside this stack, after the commands."""


def connect(fleet: DeployedFleet, left: timedelta = FRESH) -> None:
    fleet.connect({name: fleet.cloud.standin.grant(user=name[5:]) for name in (NAME, OTHER)}, expires_in=left)


def into(state: str) -> Act:
    """Leave two connections in a state, as the functions do."""

    def cause(fleet: DeployedFleet) -> None:
        connect(fleet, EXPIRED)
        gone = {} if state == "cooling" else {"slot": None, "dueAt": None}
        for name in (NAME, OTHER):
            fleet.table.change(name, state=encode(state), trouble=encode(f"{state}#{shard_of(name)}"), **gone)

    return cause


def stop_the_schedule(fleet: DeployedFleet) -> None:
    connect(fleet, EXPIRED)
    client = fleet.cloud.client("scheduler")
    for found in client.list_schedules()["Schedules"]:
        if "Dispatcher" in found["Target"]["Arn"]:
            schedule = client.get_schedule(Name=found["Name"], GroupName=found["GroupName"])
            kept = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target", "Description")
            client.update_schedule(**{key: schedule[key] for key in kept if key in schedule}, State="DISABLED")


def overdue(fleet: DeployedFleet) -> None:
    stop_the_schedule(fleet)
    fleet.table.change(NAME, dueAt=encode(int(time.time()) - 1200))


def wrong_credentials(fleet: DeployedFleet) -> None:
    """Let the stack hold the credentials of another app, which the provider refuses."""
    into("refused")(fleet)
    wrong = json.dumps({"clientId": "another", "clientSecret": "another"})
    fleet.cloud.client("secretsmanager").put_secret_value(SecretId=fleet.outputs["AppSecretArn"], SecretString=wrong)


def brake(fleet: DeployedFleet) -> None:
    connect(fleet)
    item = {"pk": encode("#brake#figma"), "brakedSince": encode(int(time.time()) - 600), "sent": encode(5)}
    fleet.table.client.put_item(TableName=fleet.table.name, Item=item)


def lose_a_message(fleet: DeployedFleet) -> None:
    connect(fleet)
    body = json.dumps({"connection": NAME, "dueAt": 1})
    url = fleet.outputs["ConnectionsDeadLetterQueueUrl"]
    fleet.cloud.client("sqs").send_message(QueueUrl=url, MessageBody=body)


def stop_the_mapping(fleet: DeployedFleet) -> None:
    connect(fleet)
    client = fleet.cloud.client("lambda")
    (mapping,) = client.list_event_source_mappings()["EventSourceMappings"]
    client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)


def disable_the_key(fleet: DeployedFleet) -> None:
    connect(fleet)
    fleet.cloud.client("kms").disable_key(KeyId=fleet.outputs["ConnectionsKeyArn"])


def throttle_the_worker(fleet: DeployedFleet) -> None:
    connect(fleet)
    client = fleet.cloud.client("lambda")
    client.put_function_concurrency(FunctionName=fleet.function("Worker"), ReservedConcurrentExecutions=0)


WALKS = {
    "ConnectionsOverdue": Walk(overdue, lambda fleet: fleet.tick()),
    "ConnectionsRefused": Walk(wrong_credentials),
    "ConnectionsStuck": Walk(into("stuck")),
    "ProviderBraked": Walk(brake, lambda fleet: fleet.tick()),
    "NoDispatch": Walk(stop_the_schedule),
    "ConnectionsDeadLetters": Walk(lose_a_message),
    "ConnectionsQueueAge": Walk(stop_the_mapping),
    "ConnectionTokenNotStored": Walk(into("cooling")),
    "ConnectionsFaults": Walk(disable_the_key),
    "ConnectionsFunctionErrors": Walk(throttle_the_worker),
}


@pytest.fixture
def _apart(fleet: DeployedFleet) -> Iterator[None]:
    yield
    fleet.cloud.client("kms").enable_key(KeyId=fleet.outputs["ConnectionsKeyArn"])


def test_every_entry_of_a_fleet_is_walked() -> None:
    alarms = {name for name in vars(FleetAlarm).values() if isinstance(name, str)} & PAGE.keys()
    assert WALKS.keys() == alarms


@pytest.mark.usefixtures("_apart")
@pytest.mark.parametrize(("entry", "walk"), WALKS.items(), ids=WALKS)
def test_an_entry_ends_the_trouble(fleet: DeployedFleet, tokenctl: Tokenctl, entry: str, walk: Walk) -> None:
    operator = Operator(tokenctl, fleet.deployment)
    walk.cause(fleet)
    if entry != "ConnectionTokenNotStored":  # an alarm alone tells of it: nothing of the stack is broken
        assert not operator.is_healthy(by_doctor=True)
    operator.follow(entry)
    walk.outside(fleet)
    wait_until(lambda: operator.is_healthy(by_doctor=True))
    assert {fleet.table.record(name).state.value for name in (NAME, OTHER)} == {"active"}

"""The entry points of dispatcher and worker, over moto: what the schedule and the queue hand to them, and get."""

import importlib
import json
from typing import Any

import boto3
import pytest

from refresh_token.errors import ConfigurationException, RefreshTokenError
from refresh_token.fleet.states import State
from tests.support.fleet import NAME
from tests.support.function_environment import forget_clients
from tests.support.lambda_context import LambdaContext
from tests.support.moto_fleet import DOWN, REFUSES, MotoFleet
from tests.support.moto_function import Lines
from tests.support.token_server import Reply

OTHER = "acme/u2"


@pytest.fixture
def queue(fleet: MotoFleet, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of the queue, which the dispatcher knows."""
    assert fleet.handler
    url = str(boto3.client("sqs").create_queue(QueueName="fleet")["QueueUrl"])
    monkeypatch.setenv("CONNECTIONS_QUEUE_URL", url)
    forget_clients()
    return url


def invoke(part: str, event: object, context: LambdaContext | None = None) -> Any:
    """Invoke a function as Lambda does: event and answer pass through JSON."""
    handler = importlib.import_module(f"refresh_token.{part}_handler")
    handler.TELEMETRY.connection = None
    for cached in ("_settings", "_pool"):
        if cached in vars(handler):
            vars(handler)[cached].cache_clear()
    return json.loads(json.dumps(handler.lambda_handler(event, context or LambdaContext())))


def due(fleet: MotoFleet, name: str = NAME, **facts: Any) -> None:
    fleet.seed("mandatory", name, **facts)
    fleet.stage.table.change(name, dueAt={"N": "1700000000"})


def received(queue: str) -> dict[str, Any]:
    """Return the event that Lambda makes of the messages in a queue."""
    messages = boto3.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    return {"Records": [{"messageId": each["MessageId"], "body": each["Body"]} for each in messages]}


def test_what_is_due_is_refreshed(fleet: MotoFleet, queue: str, printed: Lines) -> None:
    due(fleet)
    due(fleet, OTHER)
    answer = invoke("dispatcher", {"source": "aws.scheduler"})
    assert (answer["outcome"], answer["due"], answer["sent"]) == ("dispatched", 2, 2)
    event = received(queue)
    assert "canary" not in json.dumps(event)
    assert invoke("worker", event) == {"batchItemFailures": []}
    assert len(fleet.server.seen) == 2
    for name in (NAME, OTHER):
        record = fleet.stage.table.record(name)
        assert (record.state, record.claim_id, record.access == "canary-access") == (State.ACTIVE, None, False)
    assert {line["connection"] for line in printed() if line.get("message") == "Refreshed the token"} == {NAME, OTHER}


@pytest.mark.parametrize(("reply", "state"), [(DOWN, State.COOLING), (REFUSES, State.REFUSED)], ids=["down", "refuses"])
def test_a_failure_is_no_batch_failure(fleet: MotoFleet, queue: str, reply: Reply, state: State) -> None:
    due(fleet)
    fleet.server.answer(reply)
    invoke("dispatcher", {})
    assert invoke("worker", received(queue)) == {"batchItemFailures": []}
    assert fleet.stage.table.record(NAME).state is state
    assert len(fleet.server.seen) == 1, "one attempt a message"


def test_only_the_failed_message_comes_again(fleet: MotoFleet, queue: str, printed: Lines) -> None:
    due(fleet)
    due(fleet, OTHER)
    invoke("dispatcher", {})
    event = received(queue)
    fleet.stage.table.change(OTHER, provider={"S": "linear"})
    lost = next(record["messageId"] for record in event["Records"] if OTHER in record["body"])
    answer = invoke("worker", event)
    assert answer == {"batchItemFailures": [{"itemIdentifier": lost}]}
    assert fleet.stage.table.record(NAME).access != "canary-access"
    assert any(line.get("connection") == OTHER for line in printed())


@pytest.mark.parametrize("part", ["dispatcher", "worker"])
def test_a_wrong_environment_is_told(
    fleet: MotoFleet, queue: str, part: str, monkeypatch: pytest.MonkeyPatch, printed: Lines
) -> None:
    assert fleet.handler
    assert queue
    monkeypatch.setenv("PROVIDERS", "canary")
    forget_clients()
    with pytest.raises(RefreshTokenError) as caught:
        invoke(part, {"Records": []})
    assert type(caught.value) is ConfigurationException
    assert "PROVIDERS" in str(caught.value)
    printed()

"""The deployed stack from outside, as its users see it: events, errors, concurrency, failures."""

import json
import time
from datetime import timedelta

import pytest

from local.deployment import Deployment
from tests.support.deployed_stack import refreshes
from tests.support.events import tick
from tests.support.played_demo import PlayedDemo
from tests.support.windows import ADVISORY, EXPIRED, FRESH, MANDATORY

pytestmark = pytest.mark.xdist_group("stack")

TOKEN_ANSWER = {"accessToken", "expiresIn", "expiresAt", "versionId", "state"}


def test_the_demo_shows_each_step(played: PlayedDemo) -> None:
    for sight in (
        *("cdk bootstrap", "cdk deploy", "Wait for the schedule's own tick", "Figma says hello", "`figma`"),
        *("tokenctl seed", "Output of `tokenctl status`", "0% of 90 days", "last outcome  refreshed"),
    ):
        assert sight in played.printed


@pytest.mark.parametrize(
    ("left", "state", "issuer_calls"),
    [(FRESH, "fresh", 0), (ADVISORY, "due", 0), (MANDATORY, "fresh", 1), (EXPIRED, "fresh", 1)],
    ids=["fresh", "advisory", "mandatory", "expired"],
)
def test_a_consumer_gets_a_token(stack: Deployment, left: timedelta, state: str, issuer_calls: int) -> None:
    version = stack.seed(stack.cloud.standin.grant(), expires_in=left)
    answer = stack.invoke({}).payload
    assert set(answer) == TOKEN_ANSWER | ({"refreshedAt"} if issuer_calls else set())
    assert (answer["state"], refreshes(stack)) == (state, issuer_calls)
    assert (answer["versionId"] == version) == (issuer_calls == 0)
    assert stack.cloud.standin.accepts(answer["accessToken"])
    assert stack.current()[0] == answer["versionId"]


def test_a_consumer_recovers_within_its_invocation(played: PlayedDemo, stack: Deployment) -> None:
    version = stack.seed(stack.cloud.standin.grant(), expires_in=FRESH)
    stack.cloud.standin.kill()
    answer = stack.invoke({}, function_name=played.consumer).payload
    assert (answer["status"], answer["reported"]) == (200, True)
    assert answer["versionId"] != version
    assert refreshes(stack) == 1


def test_a_failed_tick_is_no_dead_letter(stack: Deployment) -> None:
    sqs, queue = stack.cloud.client("sqs"), stack.outputs["DeadLetterQueueUrl"]
    stack.seed(stack.cloud.standin.grant(), expires_in=EXPIRED)
    stack.cloud.standin.fail("RefreshToken", status=400, code="InvalidParameterException", message="revoked")
    stack.cloud.client("lambda").invoke(
        FunctionName=stack.outputs["FunctionName"], InvocationType="Event", Payload=json.dumps(tick())
    )
    deadline = time.monotonic() + 30
    while not refreshes(stack):
        assert time.monotonic() < deadline, "the tick did not run"
        time.sleep(0.2)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=2)
    assert refreshes(stack) == 1, "a refused grant is not tried again"

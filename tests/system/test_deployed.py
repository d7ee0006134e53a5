"""The deployed stack from outside: the demo, and a tick that fails."""

import json
import time

import pytest

from local.deployment import Deployment
from tests.support.deployed_stack import refreshes
from tests.support.events import tick
from tests.support.played_demo import PlayedDemo
from tests.support.windows import EXPIRED

pytestmark = pytest.mark.xdist_group("stack")


def test_the_demo_shows_each_step(played: PlayedDemo) -> None:
    for sight in (
        *("cdk bootstrap", "cdk deploy", "Wait for the schedule's own tick", "Figma says hello", "`figma`"),
        *("tokenctl seed", "Output of `tokenctl status`", "0% of 90 days", "last outcome  refreshed"),
    ):
        assert sight in played.printed


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

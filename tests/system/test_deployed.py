"""The deployed stack from outside: the demo, and a tick that fails."""

import io
import json
import zipfile

import pytest

from local.deployment import Deployment
from tests.support.codedeploy import verdict_of_smoke_test
from tests.support.deployed_stack import put_secret, refreshes
from tests.support.events import tick
from tests.support.played_demo import PlayedDemo
from tests.support.processes import wait_until
from tests.support.windows import EXPIRED, FRESH

pytestmark = pytest.mark.xdist_group("stack")


def test_the_demo_shows_each_step(played: PlayedDemo) -> None:
    for sight in (
        *("cdk bootstrap", "cdk deploy", "Wait for the schedule's own tick", "Figma says hello", "`figma`"),
        *("tokenctl seed", "Output of `tokenctl status`", "life left: 100% of 90 days", "last outcome  refreshed"),
    ):
        assert sight in played.printed


def test_a_failed_tick_is_no_dead_letter(stack: Deployment) -> None:
    sqs, queue = stack.cloud.client("sqs"), stack.outputs["DeadLetterQueueUrl"]
    stack.seed(stack.cloud.standin.grant(), expires_in=EXPIRED)
    stack.cloud.standin.fail("RefreshToken", status=400, code="InvalidParameterException", message="revoked")
    stack.cloud.client("lambda").invoke(
        FunctionName=stack.outputs["FunctionName"], InvocationType="Event", Payload=json.dumps(tick())
    )
    wait_until(lambda: refreshes(stack))
    assert "Messages" not in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=2)
    assert refreshes(stack) == 1, "a refused grant is not tried again"


def test_the_smoke_test_blames_what_is_worse(stack: Deployment) -> None:
    functions, live = stack.cloud.client("lambda"), stack.outputs["FunctionAliasArn"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", "import nothing_like_this")
    broken = functions.create_function(
        FunctionName="broken",
        Runtime="python3.13",
        Role="arn:aws:iam::000000000000:role/broken",
        Handler="index.handler",
        Code={"ZipFile": code.getvalue()},
    )["FunctionArn"]
    stack.seed(stack.cloud.standin.grant(), expires_in=FRESH)
    assert verdict_of_smoke_test(stack.cloud.env, new=live, live=live) == "Succeeded"
    assert verdict_of_smoke_test(stack.cloud.env, new=broken, live=live) == "Failed"
    assert refreshes(stack) == 0
    put_secret(stack, SecretString="{}")
    assert verdict_of_smoke_test(stack.cloud.env, new=broken, live=live) == "Succeeded", "live is no better"
    functions.delete_function(FunctionName="broken")

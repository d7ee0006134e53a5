"""`tokenctl dead-letters`: showing what could not be delivered, making up for it, and dropping it."""

from collections.abc import Iterator

import pytest

from local.deployment import Deployment
from tests.support.command_line import Tokenctl, on_terminal
from tests.support.deployed_stack import AwsAnswers, put_secret
from tests.support.windows import FRESH

pytestmark = pytest.mark.xdist_group("deployed")

REASON = {"ERROR_CODE": "AWS.Scheduler.InternalServerError", "ERROR_MESSAGE": "Lambda throttled the call."}
CANARY = "figr_canary9"
SENT = 11
"""More than SQS hands out in one call."""


@pytest.fixture
def waiting(stack: Deployment) -> Iterator[None]:
    """Let messages wait, as Scheduler sends them."""
    sqs, url = stack.cloud.client("sqs"), stack.outputs["DeadLetterQueueUrl"]
    sqs.purge_queue(QueueUrl=url)
    attributes = {name: {"DataType": "String", "StringValue": text} for name, text in REASON.items()}
    for _ in range(SENT):
        sqs.send_message(QueueUrl=url, MessageBody=CANARY, MessageAttributes=attributes)
    yield
    sqs.purge_queue(QueueUrl=url)


def count(tokenctl: Tokenctl) -> int:
    """Return how many messages other readers can see."""
    return int(tokenctl("status", "--output", "json").json["deadLetterQueue"]["messages"])


@pytest.mark.usefixtures("waiting")
class TestWithMessages:
    def test_shows_each_with_its_reason(self, tokenctl: Tokenctl) -> None:
        done = tokenctl("dead-letters")
        assert (done.code, len(done.out.splitlines()), CANARY in done.out) == (0, SENT, False)
        assert "AWS.Scheduler.InternalServerError: Lambda throttled the call." in done.out
        shown = tokenctl("dead-letters", "show", "--output", "json")
        assert len({message["messageId"] for message in shown.json}) == SENT
        assert (shown.json[0]["attributes"], CANARY in shown.out) == (REASON, False)
        assert count(tokenctl) == SENT

    def test_redrive_ticks_once_and_deletes(self, tokenctl: Tokenctl, stack: Deployment) -> None:
        version = stack.seed(stack.cloud.standin.grant(), expires_in=FRESH)
        done = tokenctl("dead-letters", "redrive", "--yes")
        assert (done.code, done.err, count(tokenctl)) == (0, "", 0)
        assert done.out.startswith(f"Deleted {SENT} messages. fresh: the token is not due. Version {version}")
        again = tokenctl("dead-letters", "redrive", "--yes", "--output", "json").json
        assert again == {"deleted": 0}

    def test_a_tick_that_fails_deletes_nothing(self, tokenctl: Tokenctl, stack: Deployment) -> None:
        put_secret(stack, SecretString="{}")
        done = tokenctl("dead-letters", "redrive", "--yes")
        assert (done.code, done.out) == (254, "")
        assert "holds no token pair yet" in done.err
        assert count(tokenctl) == SENT

    def test_drop_deletes_after_a_question(self, tokenctl: Tokenctl, terminal_env: dict[str, str]) -> None:
        unconfirmed = tokenctl("dead-letters", "drop")
        assert (unconfirmed.code, count(tokenctl)) == (252, SENT)
        assert f"{SENT} messages in the dead-letter queue. With the reasons in them, they are" in unconfirmed.err
        words = ("dead-letters", "drop", "--stage", "local")
        assert on_terminal(terminal_env, *words, dialogue=[("Go on? [y/N]", "n")]).code == 255
        assert count(tokenctl) == SENT
        done = tokenctl("dead-letters", "drop", "--yes", "--output", "json")
        assert (done.code, done.json, count(tokenctl)) == (0, {"deleted": SENT}, 0)


def test_an_empty_queue_needs_no_question(tokenctl: Tokenctl, stack: Deployment) -> None:
    stack.cloud.client("sqs").purge_queue(QueueUrl=stack.outputs["DeadLetterQueueUrl"])
    for action in ("show", "redrive", "drop"):
        done = tokenctl("dead-letters", action)
        assert (done.code, done.out) == (0, "The dead-letter queue is empty.\n")


def test_a_queue_that_is_gone_has_advice(tokenctl: Tokenctl, aws_answers: AwsAnswers) -> None:
    aws_answers("SQS", 400, '{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "gone"}')
    done = tokenctl("dead-letters")
    assert (done.code, done.out) == (255, "")
    assert "is gone. To create it again: `tokenctl repair --stage local`." in done.err

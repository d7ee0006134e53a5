"""The queue between dispatcher and workers, and its dead-letter queue."""

import json
from dataclasses import dataclass
from typing import Final

from tokenctl.connections.fleet import Fleet
from tokenctl.errors import GoneError
from tokenctl.stack.aws_errors import translate_aws_errors

_NUMBERS: Final = "ApproximateNumberOfMessages"


@dataclass(frozen=True, kw_only=True)
class Messages:
    """Approximate numbers of messages."""

    waiting: int
    """Those that wait for a worker, or for the moment that the dispatcher has chosen."""
    under_way: int
    """Those that workers hold."""


def queue_url(fleet: Fleet, output: str) -> str:
    """Return the URL of `QueueUrl` or `DeadLetterQueueUrl`; raises GoneError if only the queue can name that."""
    if output == "DeadLetterQueueUrl" and fleet.target.fleet_function is not None:
        return _dead_letters_of(fleet)
    return fleet.target.output(f"Connections{output}")


def _dead_letters_of(fleet: Fleet) -> str:
    """Ask the queue for the other one."""
    client, url = fleet.target.aws.client("sqs"), queue_url(fleet, "QueueUrl")
    with translate_aws_errors():
        try:
            answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
            arn = json.loads(answer.get("Attributes", {}).get("RedrivePolicy", "{}")).get("deadLetterTargetArn", "")
            return str(client.get_queue_url(QueueName=arn.rpartition(":")[2] or "-")["QueueUrl"])
        except client.exceptions.QueueDoesNotExist:
            raise GoneError(TITLES["DeadLetterQueueUrl"]) from None


def count_messages(fleet: Fleet, output: str) -> Messages:
    """Count the messages of one of the queues; raises GoneError if it is gone."""
    client, url = fleet.target.aws.client("sqs"), queue_url(fleet, output)
    names = [_NUMBERS, f"{_NUMBERS}Delayed", f"{_NUMBERS}NotVisible"]
    with translate_aws_errors():
        try:
            answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)
        except client.exceptions.QueueDoesNotExist:
            raise GoneError(TITLES[output]) from None
    waiting, delayed, held = (int(answer["Attributes"].get(name, 0)) for name in names)
    return Messages(waiting=waiting + delayed, under_way=held)


TITLES: Final = {
    "QueueUrl": "the queue of the connections",
    "DeadLetterQueueUrl": "the dead-letter queue of the connections",
}
"""The queues, in the middle of a sentence."""

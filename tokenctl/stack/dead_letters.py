"""The messages in the dead-letter queue: the ticks that EventBridge Scheduler could not deliver."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from refresh_token.core.windows import iso_utc
from tokenctl.errors import GoneError, TokenctlError
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.deploy_command import how_to_restore
from tokenctl.stack.deployed_stack import DeployedStack

HIDDEN_SECONDS: Final = 300
"""How long a message that we hold is hidden from other readers: longer than a tick takes."""

_BATCH: Final = 10
"""The most messages that SQS hands out, deletes or changes in one call (SQS API reference)."""


class HeldMessages:
    """All messages of the queue, hidden from other readers until they are deleted or released."""

    def __init__(self, deployed: DeployedStack) -> None:
        self._sqs: Any = deployed.target.aws.client("sqs")
        self._url = deployed.dead_letter_queue_url
        with translate_aws_errors():
            try:
                self._messages = list(self._receive())
            except self._sqs.exceptions.QueueDoesNotExist:
                how = f"To create it again: {how_to_restore(deployed.target)}."
                raise GoneError("the dead-letter queue", how) from None

    def __len__(self) -> int:
        return len(self._messages)

    def describe(self) -> list[dict[str, Any]]:
        """Return messageId, sentAt and Scheduler's attributes of each message, the oldest first; no body."""
        return sorted(map(_described, self._messages), key=lambda message: str(message["sentAt"]))

    def delete(self) -> None:
        """Delete the messages. Those that arrived since stay."""
        with translate_aws_errors():
            for batch in self._batches():
                entries = [{"Id": str(at), "ReceiptHandle": handle} for at, handle in enumerate(batch)]
                failed = self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries).get("Failed")
                if failed:
                    raise TokenctlError(f"{len(failed)} messages could not be deleted. Run the command again.")

    def release(self) -> None:
        """Show the messages to other readers again."""
        with translate_aws_errors():
            for batch in self._batches():
                entries = [
                    {"Id": str(at), "ReceiptHandle": handle, "VisibilityTimeout": 0} for at, handle in enumerate(batch)
                ]
                self._sqs.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)

    def _receive(self) -> Iterator[dict[str, Any]]:
        while True:
            # Waiting makes SQS ask all of its servers: without it, an answer may be empty though messages are there.
            found = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=_BATCH,
                MessageAttributeNames=["All"],
                AttributeNames=["SentTimestamp"],
                VisibilityTimeout=HIDDEN_SECONDS,
                WaitTimeSeconds=1,
            ).get("Messages", [])
            if not found:
                return
            yield from found

    def _batches(self) -> Iterable[list[str]]:
        handles = [str(message["ReceiptHandle"]) for message in self._messages]
        return (handles[start : start + _BATCH] for start in range(0, len(handles), _BATCH))


def _described(message: Mapping[str, Any]) -> dict[str, Any]:
    sent = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
    attributes = message.get("MessageAttributes", {})
    return {
        "messageId": message["MessageId"],
        "sentAt": iso_utc(sent),
        "attributes": {name: attributes[name].get("StringValue") for name in sorted(attributes)},
    }

"""The messages in a dead-letter queue: ticks that EventBridge Scheduler could not deliver, or work of a fleet."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from refresh_token.core.windows import iso_utc
from refresh_token.fleet.names import is_name
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

    def __init__(self, deployed: DeployedStack, url: str | None = None) -> None:
        """Hold the messages of the queue at `url`, by default that of the schedule. Raises GoneError if it is gone."""
        self._sqs: Any = deployed.target.aws.client("sqs")
        self._url = deployed.dead_letter_queue_url if url is None else url
        with translate_aws_errors():
            try:
                self._messages = list(self._receive())
            except self._sqs.exceptions.QueueDoesNotExist:
                how = f"To create it again: {how_to_restore(deployed.target)}."
                raise GoneError("the dead-letter queue", how) from None

    def __len__(self) -> int:
        return len(self._messages)

    def describe(self) -> list[dict[str, Any]]:
        """Return messageId, sentAt and Scheduler's attributes of each message, the oldest first, and its connection."""
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
    connection = _connection(message.get("Body", ""))
    return {
        **({"connection": connection} if connection else {}),
        "messageId": message["MessageId"],
        "sentAt": iso_utc(sent),
        "attributes": {name: attributes[name].get("StringValue") for name in sorted(attributes)},
    }


def _connection(body: str) -> str | None:
    """Return the connection that a message of a fleet is about; nothing else of a body is shown."""
    try:
        document = json.loads(body)
    except ValueError:
        return None
    name = document.get("connection") if isinstance(document, dict) else None
    return name if is_name(name) else None

"""An SQS queue in memory. What becomes of its messages is up to the test."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.memory_dynamodb import nothing


@dataclass
class Message:
    """A message that waits, with the time at which it arrives."""

    body: str
    arrives: int
    group: str

    @property
    def connection(self) -> str:
        return str(json.loads(self.body)["connection"])

    @property
    def event(self) -> dict[str, Any]:
        """Return what Lambda hands to the worker."""
        return {"Records": [{"messageId": self.body, "body": self.body, "eventSource": "aws:sqs"}]}


@dataclass
class MemorySqs:
    """The client of the queue, a standard one, whose limits it checks (API reference, SendMessageBatch)."""

    now: Callable[[], int]
    before: Callable[[str, dict[str, Any]], None] = nothing
    refuses: Callable[[str], bool] = lambda _body: False
    """Whether the queue refuses one message of a batch."""

    messages: list[Message] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)

    def get_queue_attributes(self, **call: Any) -> dict[str, Any]:
        self._count("GetQueueAttributes", call)
        late = sum(message.arrives > self.now() for message in self.messages)
        known = {
            "ApproximateNumberOfMessages": str(len(self.messages) - late),
            "ApproximateNumberOfMessagesDelayed": str(late),
        }
        return {"Attributes": {name: known[name] for name in call["AttributeNames"]}}

    def send_message_batch(self, **call: Any) -> dict[str, Any]:
        self._count("SendMessageBatch", call)
        entries = call["Entries"]
        assert 1 <= len(entries) <= 10
        assert len({entry["Id"] for entry in entries}) == len(entries)
        assert all(0 <= entry["DelaySeconds"] <= 900 for entry in entries)
        taken = [entry for entry in entries if not self.refuses(entry["MessageBody"])]
        self.messages += [
            Message(entry["MessageBody"], self.now() + entry["DelaySeconds"], entry["MessageGroupId"])
            for entry in taken
        ]
        failed = [entry for entry in entries if entry not in taken]
        return {
            "Successful": [{"Id": entry["Id"]} for entry in taken],
            "Failed": [{"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in failed],
        }

    def _count(self, name: str, call: dict[str, Any]) -> None:
        self.before(name, call)
        self.calls[name] += 1

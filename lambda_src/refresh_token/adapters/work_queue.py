"""The WorkQueue port on an SQS queue."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from refresh_token.adapters.fleet_calls import guarded
from refresh_token.fleet.names import tenant_of
from refresh_token.fleet.ports import Delivery, Spread

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

MAX_BATCH: Final = 10
"""How many messages one call sends at most (API reference, SendMessageBatch)."""

_WAITING: Final[tuple["QueueAttributeNameType", ...]] = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
)


class SqsQueue:
    """One standard queue. ``spread`` makes calls at once."""

    def __init__(self, url: str, client: "SQSClient", spread: Spread) -> None:
        self._url = url
        self._client = client
        self._spread = spread

    def depth(self) -> int:
        """Return about how many messages wait; see the port."""
        answer = guarded(
            "queue", lambda: self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=list(_WAITING))
        )
        return sum(int(answer.get("Attributes", {}).get(name, 0)) for name in _WAITING)

    def send(self, deliveries: Sequence[Delivery]) -> int:
        """Send messages, grouped by tenant so that none has to wait for another's; see the port."""
        batches = [deliveries[first : first + MAX_BATCH] for first in range(0, len(deliveries), MAX_BATCH)]
        return sum(self._spread(self._send_batch, batches))

    def _send_batch(self, deliveries: Sequence[Delivery]) -> int:
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {
                "Id": str(place),
                "MessageBody": work.to_body(),
                "DelaySeconds": delay,
                "MessageGroupId": tenant_of(work.connection),
            }
            for place, (work, delay) in enumerate(deliveries)
        ]
        answer = guarded("queue", lambda: self._client.send_message_batch(QueueUrl=self._url, Entries=entries))
        return len(answer.get("Successful", []))

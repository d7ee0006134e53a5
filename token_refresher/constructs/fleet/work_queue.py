"""The queue with the connections to refresh now, and its dead-letter queue."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from token_refresher.constructs.acknowledgements import acknowledge
from token_refresher.constructs.dead_letter_queue import DeadLetterQueue

_ATTEMPTS: Final = 3
_TIMEOUTS: Final = 6
"""For how many of the worker's timeouts a message stays hidden (Lambda Developer Guide, "Using Lambda with SQS")."""


class WorkQueue(Construct):
    """A standard queue. It may lose or double a message: the table is the truth, and the next tick finds it."""

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey | None, worker_timeout: int) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = DeadLetterQueue(self, "DeadLetters", key=key).queue
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED,
            encryption_master_key=key,
            enforce_ssl=True,
            visibility_timeout=Duration.seconds(_TIMEOUTS * worker_timeout),
            # A message is of no use once its lease has ended. It only has to live through its attempts.
            retention_period=Duration.days(1),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=_ATTEMPTS),
        )
        self.worker_timeout = worker_timeout
        self.all_attempts = _ATTEMPTS * _TIMEOUTS * worker_timeout
        """How many seconds all attempts of one message take at most."""
        acknowledge(
            self.queue,
            {"CKV_AWS_27": "Encrypted with SQS's key. A message is a connection's name. See the prop queue_key."},
        )

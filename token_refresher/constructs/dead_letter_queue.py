"""The queue where failed ticks and failed asynchronous invocations wait for a person."""

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from token_refresher.constructs.acknowledgements import acknowledge


class DeadLetterQueue(Construct):
    """An encrypted queue for TLS only. It keeps messages for as long as SQS can: 14 days."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        acknowledge(
            self.queue,
            {
                "AwsSolutions-SQS3": "This is the dead-letter queue. A person reads it.",
                "CKV_AWS_27": "Encrypted with SQS's key. Our own key would have to admit two more roles, to protect "
                "ticks that hold no token, and would hide them when the key itself is the problem.",
            },
        )

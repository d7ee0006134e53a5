"""The queue where ticks that could not be delivered to the function wait for a person."""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from token_refresher.constructs.acknowledgements import acknowledge


class DeadLetterQueue(Construct):
    """An encrypted queue for TLS only. It keeps messages for as long as SQS can: 14 days.

    `send_to` has the permissions of those who send to it.
    """

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey | None) -> None:
        super().__init__(scope, construct_id)
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED,
            encryption_master_key=key,
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


def send_to(queue: sqs.IQueue, sid: str) -> list[iam.PolicyStatement]:
    """Return the permissions to send to a queue. A queue's own key needs two of them."""
    statements = [iam.PolicyStatement(sid=sid, actions=["sqs:SendMessage"], resources=[queue.queue_arn])]
    if queue.encryption_master_key:
        statements.append(
            iam.PolicyStatement(
                sid=f"{sid}Encrypted",
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=[queue.encryption_master_key.key_arn],
            )
        )
    return statements
